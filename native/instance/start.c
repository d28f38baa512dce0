#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "instance.h"
#include "machine.h"

/* Starts an instance: one line on standard output says how it went, behind the number that was given, either of
     ready TAB process id TAB start in clock ticks TAB id of the boot
     failed TAB step TAB errno TAB words */
#define READY_WITHIN_MS 30000
/* With the longest path in it. */
#define MOST_SAID (PATH_MAX + 1024)

static int report = 1;
static const char *number = "";

static const char *advice(int error) {
  if (error == EPERM || error == EACCES) return "; this user may not do that here: run as root, or allow user namespaces (`spawn doctor` says what is missing)";
  if (error == EAGAIN) return "; the limit of processes of this user is reached: `ulimit -u`, or pids.max of its group";
  if (error == EMFILE || error == ENFILE) return "; the limit of open files is reached: `ulimit -n`, or /proc/sys/fs/file-max";
  if (error == ENOSPC || error == EUSERS) return "; a limit of the kernel is reached: /proc/sys/user/max_*_namespaces, or the disk is full";
  return "";
}

/* In one write, which dprintf(3) does not promise: others write to the same pipe. */
static void say_line(int to, const char *line) {
  ssize_t wrote = write(to, line, strlen(line));
  (void)wrote;
}

void say_failed(int to, const char *given, const char *step, const char *what) {
  int error = errno;
  char line[MOST_SAID];
  snprintf(line, sizeof line, "%sfailed\t%s\t%d\t%s: %.*s: %s%s\n", given, step, error, step, PATH_MAX, what, strerror(error), advice(error));
  say_line(to, line);
}

void fail_step(const char *step, const char *what) {
  say_failed(report, number, step, what);
  if (report == 1) limits_close();
  _exit(1);
}

static bool write_map(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
  close(fd);
  return written;
}

/* Every user and group is itself there; the other ones are nobody. */
bool enter_user_namespace(int more) {
  uid_t user = geteuid();
  gid_t group = getegid();
  char map[64];
  if (unshare(CLONE_NEWUSER | more) != 0) return false;
  write_map("/proc/self/setgroups", "deny");
  snprintf(map, sizeof map, "%u %u 1\n", user, user);
  if (!write_map("/proc/self/uid_map", map)) return false;
  snprintf(map, sizeof map, "%u %u 1\n", group, group);
  return write_map("/proc/self/gid_map", map);
}

/* Root needs no user namespace, unless it is root of a container. True: there is one. */
static bool separate(void) {
  const int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC;
  if (geteuid() == 0 && unshare(flags) == 0) return false;
  if (!enter_user_namespace(flags)) fail_step("separate", "user, mount, process, name and IPC namespaces");
  return true;
}

/* Read while /proc is the one outside: the process id is what it has there. */
static void read_identity(char *identity, size_t room) {
  char pid[32] = "", boot[64], stat[1024];
  if (readlink("/proc/self", pid, sizeof pid - 1) <= 0) fail_step("identify", "/proc/self");
  read_small("/proc/self/stat", stat, sizeof stat);
  read_small("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
  boot[strcspn(boot, "\n")] = '\0';
  const char *after = strrchr(stat, ')');
  unsigned long long started;
  /* Field 22: proc(5). */
  if (after == NULL || sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &started) != 1) {
    fail_step("identify", "/proc/self/stat");
  }
  snprintf(identity, room, "%s\t%llu\t%s\n", pid, started, boot);
}

static void own_streams(int folder) {
  int log = openat(folder, "log/spawn.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (log < 0 || null < 0) fail_step("open", "log/spawn.log");
  dup2(null, 0);
  dup2(null, 1);
  dup2(log, 2);
  close(log);
  close(null);
}

static void make_own(const struct places *places, bool own_user_namespace) {
  if (sethostname(M.conf.hostname, strlen(M.conf.hostname)) != 0) fail_step("hostname", M.conf.hostname);
  mounts_make(&M.conf, places, own_user_namespace);
  for (size_t i = 0; i < 4; i++) close(places->own[i]);
  close(places->bin);
  if (places->cwd >= 0) close(places->cwd);
  for (size_t i = 0; i < M.conf.visible_count; i++) {
    if (places->visible[i] >= 0) close(places->visible[i]);
  }
}

__attribute__((noreturn)) static void run_init(const struct places *places, bool own_user_namespace, bool requested) {
  char identity[160];
  setsid();
  /* That of a new machine, whatever the agent has: it is inherited by user-data, logins and commands of other members. */
  umask(022);
  read_identity(identity, sizeof identity);
  own_streams(places->folder);
  limits_bind_cpus(&M.conf);
  if (M.conf.plain) {
    /* Whatever loses its parent in the instance becomes our child. */
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) fail_step("take in processes", "subreaper");
  } else {
    make_own(places, own_user_namespace);
  }
  if (chdir("/") != 0) fail_step("open", "/");
  init_run(places, identity, report, requested);
}

/* Passes on the line of the init; the exit code. */
static int wait_until_ready(int from, pid_t init) {
  char line[MOST_SAID], numbered[MOST_SAID + 32];
  size_t length = 0;
  struct pollfd ready = {.fd = from, .events = POLLIN};
  while (length + 1 < sizeof line && poll(&ready, 1, READY_WITHIN_MS) > 0) {
    ssize_t got = read(from, line + length, sizeof line - 1 - length);
    if (got <= 0) break;
    length += (size_t)got;
    if (line[length - 1] == '\n') break;
  }
  /* Also of one that was killed in the middle of a word, so that the next answer begins a line of its own. */
  if (length > 0 && line[length - 1] != '\n') {
    if (length + 1 == sizeof line) length--;
    line[length++] = '\n';
  }
  line[length] = '\0';
  bool well = strncmp(line, "ready\t", 6) == 0;
  if (!well) kill(init, SIGKILL);
  if (length == 0) snprintf(line, sizeof line, "failed\tstart\t%d\tstart: the first process was not ready within %d s, or was killed\n", ETIMEDOUT, READY_WITHIN_MS / 1000);
  snprintf(numbered, sizeof numbered, "%s%s", number, line);
  say_line(STDOUT_FILENO, numbered);
  if (!well) limits_close();
  return well ? 0 : 1;
}

int start_main(int argc, char **argv) {
  if (argc != 2) {
    fputs("usage: instance start DIR\n", stderr);
    return 2;
  }
  return start_instance(argv[1], "");
}

int start_instance(const char *directory, const char *given) {
  number = given;
  syscall(SYS_close_range, 3u, ~0u, 0u);
  int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) fail_step("open", directory);
  const char *wrong = conf_read(folder, &M.conf);
  if (wrong != NULL) {
    errno = EINVAL;
    fail_step("read machine.conf", wrong);
  }
  M.folder = folder;
  /* Held by the init as long as it lives. */
  if (flock(folder, LOCK_EX | LOCK_NB) != 0) fail_step("lock", "the instance runs already, or cannot be locked");
  unlinkat(folder, "run/init", 0);
  if (fchdir(folder) != 0) fail_step("open", directory);
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) fail_step("start", "pipe");
  limits_open(&M.conf, folder);
  bool own_user_namespace = !M.conf.plain && separate();
  /* What was opened before is of the mounts outside, on which nothing can be mounted from here. */
  struct places places;
  M.folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (M.folder < 0) fail_step("open", directory);
  if (M.conf.plain) plain_open(&M.conf, M.folder, &places);
  else mounts_open(&M.conf, M.folder, &places);
  /* Who asks by hand asks without the file. */
  bool requested = given[0] != '\0';
  pid_t init = fork();
  if (init < 0) fail_step("start", "fork");
  if (init == 0) {
    report = pipe_fds[1];
    number = "";
    close(pipe_fds[0]);
    run_init(&places, own_user_namespace, requested);
  }
  close(pipe_fds[1]);
  return wait_until_ready(pipe_fds[0], init);
}
