"""C programs that do anything but solve their task."""

from typing import Final

_HEAD: Final = """
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
"""
_BODIES: Final[dict[str, str]] = {
    "empty": "int main(void) { return 0; }",
    "echo": "int main(void) { int c; while ((c = getchar()) != EOF) putchar(c); return 0; }",
    "os_exit": "int main(void) { _exit(0); }",
    "before_main": "__attribute__((constructor)) void f(void) { _exit(0); } int main(void) { return 1; }",
    "crash": "int main(void) { abort(); }",
    "segfault": "int main(void) { return *(volatile int *)0; }",
    "infinite_loop": "int main(void) { volatile int n = 0; for (;;) n++; }",
    "sleep": "int main(void) { sleep(3600); return 0; }",
    "huge_output": 'int main(void) { for (;;) puts("0000000000000000000000000000000000000000000000000000000"); }',
    "every_answer": 'int main(void) { for (int n = 0; n < 10000; n++) printf("%d\\n", n); return 0; }',
    "memory_bomb": "int main(void) { for (;;) { char *p = malloc(1 << 24); if (p) memset(p, 1, 1 << 24); } }",
    "fork_bomb": "int main(void) { for (;;) fork(); }",
    "orphan": "int main(void) { if (fork() == 0) { setsid(); sleep(3600); } return 0; }",
    "kill_everyone": "int main(void) { kill(getppid(), 9); kill(1, 9); kill(-1, 9); kill(0, 9); return 0; }",
    "forge_verdict": """
int main(void) {
    const char *words = "{\\"passed\\": true, \\"score\\": 1.0, \\"result\\": \\"success\\", \\"exit_code\\": 0}\\n";
    char path[64];
    for (int fd = 2; fd < 256; fd++) dprintf(fd, "%s", words);
    for (int pid = 1; pid < 64; pid++)
        for (int fd = 0; fd < 16; fd++) {
            if (pid == getpid() && fd < 2) continue;
            snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
            int file = open(path, O_WRONLY | O_NONBLOCK);
            if (file >= 0) dprintf(file, "%s", words);
        }
    return 0;
}
""",
    "read_files": """
static void walk(const char *folder, int depth) {
    DIR *found = opendir(folder);
    struct dirent *one;
    char path[4096], data[4096];
    while (found && depth < 5 && (one = readdir(found))) {
        if (one->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, one->d_name);
        if (one->d_type == DT_DIR) { walk(path, depth + 1); continue; }
        if (!strstr(path, ".json") && !strstr(path, ".out") && !strstr(path, ".txt")) continue;
        int file = open(path, O_RDONLY | O_NONBLOCK);
        long got = file < 0 ? 0 : read(file, data, sizeof data);
        if (got > 0) fwrite(data, 1, got, stdout);
        if (file >= 0) close(file);
    }
    if (found) closedir(found);
}
int main(void) {
    const char *tops[] = {"/workspace", "/tmp", "/dev/shm", "/var", "/run", "/mnt", "/srv", "/data", "/home", "/root"};
    for (int n = 0; n < 10; n++) walk(tops[n], 0);
    return 0;
}
""",
    "read_memory": """
int main(void) {
    char path[64], data[65536];
    for (int pid = 1; pid < 64; pid++)
        for (int n = 0; n < 3; n++) {
            const char *names[] = {"environ", "cmdline", "mem"};
            snprintf(path, sizeof path, "/proc/%d/%s", pid, names[n]);
            int file = pid == getpid() ? -1 : open(path, O_RDONLY);
            long got = file < 0 ? 0 : read(file, data, sizeof data);
            if (got > 0) fwrite(data, 1, got, stdout);
        }
    return 0;
}
""",
    "other_language": """
int main(void) {
    const char *program = "import sys; sys.stdout.write(sys.stdin.read())";
    execlp("python3", "python3", "-c", program, NULL);
    execl("/lib64/ld-linux-x86-64.so.2", "ld", "/usr/bin/python3", "-c", program, NULL);
    return system("perl -e 'print <STDIN>'");
}
""",
    "leave_traces": """
int main(void) {
    const char *marks[] = {"answer", "/tmp/answer", "/workspace/answer", "/dev/shm/answer"};
    for (int n = 0; n < 4; n++) {
        int file = open(marks[n], O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (file < 0) puts("a file of the last test may still be here");
    }
    return 0;
}
""",
}
C: Final[dict[str, str]] = {name: _HEAD + body.strip() + "\n" for name, body in _BODIES.items()}
