#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"

/* An instance without namespaces: where the kernel refuses them. Its processes are found by their descent, its files by variables. */
#define PLACES 4
#define LOOK_US 2000

void plain_open(const struct conf *conf, int folder, struct places *places) {
  *places = (struct places){.folder = folder, .own = {-1, -1, -1, -1}, .bin = -1, .cwd = -1};
  places->peers = open(conf->peers, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (places->peers < 0) fail_step("open", conf->peers);
  /* No file systems are its own; what says so to the agent is the same flag. */
  etc_is_overlay = false;
}

/* Through a descriptor: paths of sockets are short, and the directory may be anywhere. */
static const char *place(const char *mounted, const char *own, const char *name) {
  static char paths[PLACES][128];
  static size_t turn;
  char *path = paths[turn++ % PLACES];
  if (M.conf.plain) snprintf(path, sizeof paths[0], "/proc/self/fd/%d/%s/%.80s", M.folder, own, name);
  else snprintf(path, sizeof paths[0], "%s/%.80s", mounted, name);
  return path;
}

const char *run_place(const char *name) {
  return place("/run/spawn", "run", name);
}

const char *etc_place(const char *name) {
  return place("/etc/spawn", "spawn", name);
}

const char *forker_place(void) {
  static char path[PATH_MAX + 16];
  if (!M.conf.plain) return "/run/spawn/bin/.forker";
  snprintf(path, sizeof path, "%s/.forker", M.conf.bin);
  return path;
}

void die_with_init(void) {
  if (!M.conf.plain) return;
  const pid_t init = getppid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  /* It may have ended just before. */
  if (getppid() != init) _exit(126);
}

void end_all_that_is_left(uint64_t within_us) {
  if (!M.conf.plain) {
    kill(-1, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0) continue;
    return;
  }
  for (uint64_t until = steady_us() + within_us;;) {
    if (M.forker > 0) kill(M.forker, SIGKILL);
    signal_all(SIGKILL);
    pid_t pid;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
      if (pid == M.forker) M.forker = 0;
    }
    /* Nobody is left who could have a child: all that lose their parent become ours. */
    if (pid < 0 && errno == ECHILD) {
      write_state("clean", "");
      return;
    }
    if (steady_us() >= until) {
      note("%zu process(es) cannot be killed", count_processes());
      return;
    }
    usleep(LOOK_US);
  }
}
