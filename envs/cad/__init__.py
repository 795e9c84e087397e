"""Parts of computer-aided design: text to solid, judged exactly by a geometry kernel."""
