/* `spored boot`: the process of an attempt in an instance (docs/in-instance.md). */
#ifndef SPAWN_BOOT_H
#define SPAWN_BOOT_H

#include "spored.h"

/* What runs for the attempt now: user-data through exec.sock, or the command as a child. */
struct running {
  enum { NOTHING, THERE, CHILD } how;
  struct channel channel;
  const char *program; /* what was asked for on the channel */
  pid_t pid;
};
struct outcome {
  int code;   /* 0 to 255 */
  int signal; /* 0: it exited */
};

/* ---- boot-run.c ---- */

/* Starts /etc/spawn/user-data; false when it cannot be started, with the code that a shell would give. */
bool start_user_data(struct running *running, const char *path, int *code);
bool start_command(struct running *running, char **argv, int *code);
/* True when it has ended; does not wait. */
bool has_ended(struct running *running, struct outcome *outcome);
void pass_on(const struct running *running, int signal);

/* ---- boot-watch.c: the completion signal ---- */

struct watch {
  int word;   /* readable when `spored complete` has sent a word */
  char *file; /* the completion file */
};
struct watch watch_completion(void);
/* Whether the signal was given. A file that a program made by hand is told to the agent; one that may still be being written counts only when
   `at_once`. */
bool see_completion(struct watch *watch, struct completion *completion, bool at_once);

/* ---- boot-state.c: /etc/spawn/state, on the disk of the instance ---- */

/* The attempt before this one was decided: begins anew. `work`: user-data is the work itself, so it runs again though it succeeded. */
void forget_decided(bool work);
bool has_run_user_data(void);
void note_user_data(const struct outcome *outcome);
void note_decided(void);

#endif
