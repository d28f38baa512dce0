/* What the parts of a running instance share: the launcher (start.c, conf.c, mounts.c, limits.c) and its init (all others). */
#ifndef SPAWN_MACHINE_H
#define SPAWN_MACHINE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- conf.c: machine.conf, lines of "key value" ---- */

#define MOST_CONF_BYTES (1u << 20)
#define MOST_VISIBLE 16
#define MOST_CONF_ENV 64

struct conf {
  char *text; /* all strings are in here */
  const char *id, *hostname, *bin, *peers, *cwd, *run_dir /* plain: where the sockets are */;
  const char *visible[MOST_VISIBLE];
  size_t visible_count;
  const char *env[MOST_CONF_ENV];
  size_t env_count;
  uint64_t memory_bytes, ttl_ms;
  uint32_t cpus, first_cpu, grace_ms;
  bool plain; /* run_dir is given: without namespaces. Nothing is its own but its processes, and directories that variables name */
};
/* NULL, or what is wrong with it. */
const char *conf_read(int folder, struct conf *conf);

/* ---- start.c: while it starts ---- */

/* The line about a step that failed with errno, behind the number of the request. */
void say_failed(int to, const char *number, const char *step, const char *what);

/* Tells the launcher which step failed with errno, and ends this process. */
__attribute__((noreturn)) void fail_step(const char *step, const char *what);

/* Starts the instance of this directory; the exit code. What it says on standard output begins with `number`. */
int start_instance(const char *directory, const char *number);

/* Into a user namespace where the user is itself, and more namespaces (CLONE_NEW…); false with errno. */
bool enter_user_namespace(int more);

/* ---- mounts.c, plain.c ---- */

struct places {
  int folder, own[4] /* tmp, log, spawn, run */, bin, peers, cwd, visible[MOST_VISIBLE];
};
/* Opens what will be bound, while every path still means what it means outside. */
void mounts_open(const struct conf *conf, int folder, struct places *places);
void mounts_make(const struct conf *conf, const struct places *places, bool own_user_namespace);
extern bool etc_is_overlay;
/* Without mounts: only what is needed to tell the members of the array. */
void plain_open(const struct conf *conf, int folder, struct places *places);
/* Where a file of /run/spawn or /etc/spawn is, as this process sees it; valid until four more were asked for. */
const char *run_place(const char *name);
const char *etc_place(const char *name);
const char *forker_place(void);
/* In a child, before exec: without a process namespace it shall not outlive the init. */
void die_with_init(void);
/* Kills and reaps until no process of the instance is left, or the time is over. */
void end_all_that_is_left(uint64_t within_us);

/* ---- limits.c ---- */

/* Makes the group of the instance; outside of its namespaces. */
void limits_open(const struct conf *conf, int folder);
/* Removes it again; after all in it has ended. */
void limits_close(void);
/* Names of groups begin with it. */
#define GROUP_PREFIX "spawn-instance-"
void limits_bind_cpus(const struct conf *conf);
/* In a process of the instance, before exec. */
void limits_join(void);
bool limits_have_group(void);
/* Looks when it is time; milliseconds until the next look. */
int limits_look(void);
/* Before what the forker says is read: the kernel kills, and then the forker tells of the end. */
void limits_look_now(void);

/* ---- remove.c ---- */

/* Removes a group with those in it; false while something lives there. */
bool remove_groups(int at, const char *name);

/* ---- init.c ---- */

struct machine {
  struct conf conf;
  int epoll, folder; /* the folder of the instance, as it is outside */
  pid_t forker;
  bool frozen, stopping;
};
extern struct machine M;

struct watch {
  void (*ready)(struct watch *watch, uint32_t events);
  int fd; /* -1: not watched */
};
bool watch_add(struct watch *watch, uint32_t events);
void watch_change(struct watch *watch, uint32_t events);
/* Stops watching and closes. Events that were already taken for it are dropped. */
void watch_close(struct watch *watch);
/* `identity` is what the agent tells this process by: process id outside, start, boot. `requested`: the start can be called off until this process
   has taken away the request. */
__attribute__((noreturn)) void init_run(const struct places *places, const char *identity, int report, bool requested);
uint64_t boot_us(void);
uint64_t steady_us(void);
__attribute__((format(printf, 1, 2))) void note(const char *format, ...);
int listen_at(const char *path);
bool is_same_user(int socket);
bool is_outside(int socket);
/* Writes a small file of /run/spawn whole at once; false with errno. */
bool write_state(const char *name, const char *text);
/* In a child: signals as they are by default, none blocked. */
void plain_signals(void);

/* ---- ending.c ---- */
/* Ends everything: TERM, KILL after the grace. A later call can only make the grace shorter. */
void end_machine(const char *why, uint64_t grace_ms);
/* Milliseconds until it has to be called again; -1 while nothing ends. */
int ending_step(void);
void ending_forker_gone(int status);

/* ---- deadline.c ---- */
void deadline_open(void);
void deadline_set(uint64_t ms, uint32_t grace_ms);

/* ---- forker-relay.c ---- */
bool forker_start(void);
/* Takes bytes of the agent; false: they cannot be frames of the forker. */
bool forker_take(const uint8_t *bytes, size_t length);
void forker_agent_changed(void); /* half a frame of the one before is forgotten */
bool forker_is_full(void);
void forker_close_input(void);
bool forker_is_silent(void); /* all it said was read */
/* What it said from the place `at` on; NULL: nothing is there yet, or *lost: it was dropped. */
const uint8_t *forker_said(uint64_t at, size_t *length, bool *lost);
/* The place to go on from, when `at` is where something was dropped. */
uint64_t forker_skip(uint64_t at);
/* The place after all that it said until now. */
uint64_t forker_end(void);

/* ---- agent-link.c ---- */
void agent_open(void);
/* There is more to send. */
void agent_wake(void);
void agent_say_ending(const char *why);
/* Processes were, or are about to be, killed for their memory. */
void agent_say_memory(void);
bool agent_is_idle(void); /* nothing waits to be sent */

/* ---- start-requests.c, start-request.c: exec-protocol.h ---- */
struct start_request {
  uint32_t flags, grace_ms, argc, envc;
  const char *cwd;
  char **argv, **env;
  int fds[3];
};
void requests_open(int peers);
bool requests_reaped(pid_t pid, int status);
/* Milliseconds until its next timer, -1: none. */
int requests_expire(void);
uint32_t requests_logins(void);
/* The process id; or -1 with *step and errno. */
pid_t request_start(const struct start_request *request, uint32_t *step);

/* ---- processes.c ---- */
/* Every process of the instance that is of the user: neither the init nor the forker, and none that has ended and is not reaped. */
struct process {
  pid_t pid;
  char state;
  int parent, group, session;
  uint64_t user_ticks, system_ticks, child_user_ticks, child_system_ticks, started;
};
void each_process(void (*visit)(const struct process *process, void *to), void *to);
bool read_process(pid_t pid, struct process *process);
bool is_member(pid_t pid);
size_t read_small(const char *path, char *text, size_t room);
uint64_t number_after(const char *text, const char *name);
size_t signal_all(int signal);
size_t count_processes(void);
struct activity {
  uint64_t cpu_us, disk_bytes, memory_bytes, processes;
};
void measure_activity(struct activity *activity);

/* ---- freeze.c ---- */
void freeze_all(void);
void thaw_all(void);
/* Stops what appeared meanwhile; milliseconds until the next look, -1: not frozen. */
int freeze_look(void);

#endif
