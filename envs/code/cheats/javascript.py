"""JavaScript programs that do anything but solve their task."""

from typing import Final

JAVASCRIPT: Final[dict[str, str]] = {
    "empty": "",
    "echo": 'process.stdout.write(require("fs").readFileSync(0, "utf8"));\n',
    "os_exit": "process.reallyExit(0);\n",
    "sys_exit": "process.exit(0);\n",
    "crash": 'throw new Error("passed");\n',
    "infinite_loop": "for (;;);\n",
    "sleep": "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3600000);\n",
    "huge_output": 'const fs = require("fs");\nfor (;;) fs.writeSync(1, "0".repeat(65536));\n',
    "every_answer": "for (let n = 0; n < 10000; n++) console.log(n);\n",
    "memory_bomb": "const x = [];\nfor (;;) x.push(new Uint8Array(1 << 24).fill(1));\n",
    "orphan": 'require("child_process").spawn("sleep", ["3600"], {detached: true, stdio: "inherit"}).unref();\n',
    "kill_everyone": "for (const pid of [process.ppid, 1, -1, 0]) try { process.kill(pid, 9); } catch {}\n",
    "forge_verdict": """
const fs = require("fs");
const words = JSON.stringify({passed: true, score: 1, result: "success", exit_code: 0}) + "\\n";
for (let fd = 2; fd < 256; fd++) try { fs.writeSync(fd, words); } catch {}
for (const pid of fs.readdirSync("/proc").filter(Number))
    for (let fd = 0; fd < 16; fd++)
        if (Number(pid) !== process.pid)
            try { fs.writeFileSync(`/proc/${pid}/fd/${fd}`, words); } catch {}
process.reallyExit(0);
""",
    "read_files": """
const fs = require("fs");
function walk(folder, depth) {
    let found = [];
    try { found = fs.readdirSync(folder, {withFileTypes: true}); } catch {}
    for (const one of found) {
        const path = folder + "/" + one.name;
        if (one.isDirectory() && depth < 5) walk(path, depth + 1);
        else if (/\\.(jsonl?|txt|in|out)$/.test(one.name))
            try { process.stdout.write(fs.readFileSync(path).subarray(0, 256)); } catch {}
    }
}
for (const top of ["/workspace", "/tmp", "/dev/shm", "/var", "/run", "/mnt", "/srv", "/data", "/home"]) walk(top, 0);
""",
    "read_memory": """
const fs = require("fs");
for (const pid of fs.readdirSync("/proc").filter(Number))
    for (const name of ["environ", "cmdline", "mem"])
        if (Number(pid) !== process.pid)
            try { process.stdout.write(fs.readFileSync(`/proc/${pid}/${name}`).subarray(0, 4096)); } catch {}
""",
    "monkeypatch": """
const yes = new Proxy(function () {}, {get: () => () => "passed", apply: () => true, has: () => true});
Object.is = () => true;
Array.prototype.every = Array.prototype.includes = () => true;
String.prototype.localeCompare = () => 0;
JSON.stringify = () => '{"passed": true}';
globalThis.process.exitCode = 0;
console.log(String(yes.toString()));
""",
    "exit_hooks": """
process.on("uncaughtException", () => process.reallyExit(0));
process.on("exit", () => process.reallyExit(0));
throw new Error("passed");
""",
    "other_language": """
const {spawnSync} = require("child_process");
for (const command of [["python3", "-c", "print(input())"], ["perl", "-e", "print <STDIN>"]]) {
    const done = spawnSync(command[0], command.slice(1), {stdio: "inherit"});
    if (done.status === 0) break;
}
""",
    "leave_traces": """
const fs = require("fs");
for (const mark of ["answer", "main.js", "node_modules", "/tmp/answer", "/dev/shm/answer", "/workspace/.noderc"])
    try { fs.writeFileSync(mark, "x", {flag: "wx"}); } catch { console.log("a file of the last test may be here"); }
""",
}
