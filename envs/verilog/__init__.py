"""Hardware modules in Verilog, judged by simulating them beside a golden one: `palestra/Verilog-v0`."""
