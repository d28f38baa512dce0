#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../forker/forker.h"
#include "../forker/memory-limit.h"
#include "instance.h"
#include "machine.h"

/* Each is tried in a process of its own, so that nothing stays. */
enum trial { NAMESPACES, MOUNT, OVERLAY, PROCESSES, PORT_53, TRIALS };
static const char *const trial_names[] = {"namespaces", "mount", "overlay", "processes", "port53"};
static const char *folder = "/tmp";

static bool in_namespaces(void) {
  const int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC;
  return (geteuid() == 0 && unshare(flags) == 0) || enter_user_namespace(flags);
}

static bool can_mount(void) {
  return in_namespaces() && mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0 && mount("spawn", "/dev/shm", "tmpfs", 0, NULL) == 0;
}

/* On the disk where instances would be: not every file system can be the upper one. */
static bool can_overlay(void) {
  char options[256], *own = getenv("SPAWN_PROBE_FOLDER");
  if (own == NULL || !can_mount() || chdir(own) != 0) return false;
  snprintf(options, sizeof options, "lowerdir=/etc,upperdir=u,workdir=w%s", geteuid() == 0 ? "" : ",userxattr");
  return mount("spawn", "/etc", "overlay", 0, options) == 0;
}

static bool can_separate_processes(void) {
  if (!can_mount()) return false;
  pid_t child = fork();
  if (child == 0) _exit(mount("proc", "/proc", "proc", 0, NULL) == 0 ? 0 : errno);
  int status;
  if (child < 0 || waitpid(child, &status, 0) != child) return false;
  errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
  return errno == 0;
}

static bool can_bind_53(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(0x7f353535)};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  return fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
}

static bool (*const trials[])(void) = {can_mount, can_mount, can_overlay, can_separate_processes, can_bind_53};

/* 0, or the errno of what failed. */
static int try_one(enum trial trial) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    errno = 0;
    bool well = trial == NAMESPACES ? in_namespaces() : trials[trial]();
    _exit(well ? 0 : errno == 0 ? EPERM : errno);
  }
  int status;
  if (child < 0 || waitpid(child, &status, 0) != child) return errno;
  return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static const char *group_kind(void) {
  enum cgroup_kind kind;
  F.pid = getpid();
  int home = cgroup_home(&kind);
  if (home < 0) return "none";
  char name[64];
  snprintf(name, sizeof name, "spawn-probe-%d", getpid());
  bool well = mkdirat(home, name, 0755) == 0;
  if (well) unlinkat(home, name, AT_REMOVEDIR);
  close(home);
  return !well ? "none" : kind == CGROUP_V1 ? "v1" : "v2";
}

static bool make_folders_in(char own[]) {
  return mkdtemp(own) != NULL && setenv("SPAWN_PROBE_FOLDER", own, 1) == 0 && chdir(own) == 0 && mkdir("u", 0755) == 0 && mkdir("w", 0755) == 0;
}

int probe_main(int argc, char **argv) {
  if (argc > 2) {
    fputs("usage: instance probe [DIR]\n", stderr);
    return 2;
  }
  if (argc == 2) folder = argv[1];
  char own[PATH_MAX];
  snprintf(own, sizeof own, "%s/spawn-probe-XXXXXX", folder);
  bool made = make_folders_in(own);
  printf("{\"user\":%u", geteuid());
  for (int trial = 0; trial < TRIALS; trial++) {
    int error = trial == OVERLAY && !made ? EACCES : try_one(trial);
    printf(",\"%s\":{\"ok\":%s", trial_names[trial], error == 0 ? "true" : "false");
    if (error != 0) printf(",\"why\":\"%s\"", strerror(error));
    printf("}");
  }
  bool grouped = strcmp(group_kind(), "none") != 0;
  printf(",\"memory\":\"%s\",\"cpu\":\"affinity\",\"freeze\":\"signals\"}\n", grouped ? group_kind() : "sampled");
  if (made) {
    rmdir("w/work");
    rmdir("u");
    rmdir("w");
    if (chdir("/") == 0) rmdir(own);
  }
  return fflush(stdout) == 0 ? 0 : 1;
}
