/* The command `spored` inside an instance: one verb a file. It starts, asks the agent or does its work on files, and ends; nothing here
   needs the agent to be alive unless it says so. This header is the shared vocabulary of these files. */
#ifndef SPAWN_SPORED_H
#define SPAWN_SPORED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "instance.h"


enum exit_code {
  EXIT_DONE = 0,
  EXIT_NOT = 1,       /* the answer is no: another status was first, nothing to take, time is over */
  EXIT_WRONG = 2,     /* the command line */
  EXIT_OUTSIDE = 3,   /* not in an instance, or not in a task */
  EXIT_NO_AGENT = 69, /* it, or the worker of a task, does not answer */
  EXIT_FILES = 74,    /* the disk */
  EXIT_NO_MEMBER = 255, /* as ssh */
};

#define MAX_MESSAGE_BYTES 4096
#define MAX_REQUEST_BYTES 65536
#define MAX_REPLY_BYTES 1048576
#define AGENT_PATIENCE_MS 10000
/* As the worker has them (src/worker/calls/attempt-calls.ts). */
#define MAX_RESULT_BYTES (1024 * 1024)
#define MAX_CHECKPOINT_BYTES (64 * 1024 * 1024)

/* ---- spored-say.c: words for people ---- */

/* The verb that runs, for the begin of each line on standard error. */
extern const char *verb_name;
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
__attribute__((noreturn)) void fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* In double quotes, without control characters, cut when long; valid until the eighth call after it. */
const char *quoted(const char *text);
void *must_have(void *memory);
char *format_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Standard output has got all of it, or the process ends. */
void finish_output(void);

/* ---- spored-options.c ---- */

struct option {
  const char *name; /* without dashes */
  char letter;      /* 0: none */
  const char **value; /* NULL: a flag */
  bool *flag;
};
/* Reads options among the words after the verb, in any order, and leaves the operands, `--` aside, in argv[0..]; their number. `stop`: options end
   at the first operand. Help is printed at --help. */
int read_options(int argc, char **argv, const struct option *options, size_t count, bool stop);
#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])
/* Milliseconds of `90s`, `1h30m`; the process ends with EXIT_WRONG when it is none. */
int64_t read_duration(const char *where, const char *text);
/* Whether `-o` asked for json; NULL and `text` do not. */
bool wants_json(const char *output);
const char *help_of(const char *verb);

/* ---- spored-paths.c: where things are, and whole files ---- */

/* Below /run/spawn and /etc/spawn, or what the environment names in their place. */
char *run_path(const char *name);
char *etc_path(const char *name);
/* Not without namespaces: there the directories are elsewhere, and /tmp is that of the machine. */
bool has_own_tmp(void);
char *peers_path(void);
/* Ends the process with EXIT_OUTSIDE when this is no instance. */
void must_be_inside(void);
bool is_inside(void);
/* NULL with errno when it cannot be read; with a NUL behind its bytes. Larger than `limit`: EFBIG. */
char *read_whole(const char *path, size_t limit, size_t *length);
/* Under a name of its own, on disk, then renamed; false with errno. `exclusive`: fails with EEXIST when the name is taken. */
bool write_whole(const char *path, const char *bytes, size_t length, bool exclusive);
/* 2026-01-13T12:00:00.123Z */
const char *timestamp_now(void);
uint64_t monotonic_ms(void);
/* Told by the kernel what happens in a directory, mask as of inotify(7); -1 with errno when it is not there, or where a user has no more of them: then
   `wait_for_change` looks again and again. */
int watch_directory(const char *path, uint32_t mask);
void wait_for_change(int events, uint64_t most_ms);

/* ---- spored-json.c ---- */

enum json_kind { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_TEXT, JSON_LIST, JSON_OBJECT };
struct json {
  enum json_kind kind;
  char *text;  /* of a text, decoded; of a number, as it was written */
  char *key;   /* in an object */
  struct json *first, *next;
};
/* NULL when it is not exactly one value. Never freed: a command lives for milliseconds. */
struct json *json_read(const char *bytes, size_t length);
const struct json *json_get(const struct json *object, const char *key);
/* The text of a field; NULL when it is none. */
const char *json_text(const struct json *object, const char *key);
double json_number(const struct json *object, const char *key, double otherwise);
bool json_true(const struct json *object, const char *key);
struct json *json_new(enum json_kind kind, const char *text);
/* Replaces a field of that key, or adds one. */
void json_set(struct json *object, const char *key, struct json *value);
void json_print(FILE *to, const struct json *value, int indent);
/* In one line. */
char *json_line(const struct json *value);

/* ---- spored-agent.c ---- */

/* The reply, `ok` or not; NULL when no agent answers, with why. */
struct json *ask_agent(const struct json *request, const char **why);
struct json *request_of(const char *command);

/* ---- task-call.c: the worker of the task in which this process runs (src/worker/calls/call-wire.ts) ---- */

/* Where bytes of a request come from: memory, or a file from where it stands on. */
struct task_bytes {
  const char *memory;
  int file;
  uint64_t length;
};
/* A worker answers here. */
bool is_in_task(void);
/* Ends the process with EXIT_OUTSIDE when none does. */
struct json *task_request(const char *verb);
/* Asks, and gives the reply; ends the process when it is refused. `bytes`: NULL for none; `received`: the bytes of the reply, NULL when none are expected. */
struct json *ask_worker(struct json *request, const struct task_bytes *bytes, char **received, size_t *length);
/* A regular file, whole, or standard input for `-`; ends the process when it cannot be read or is larger than `limit`. */
char *read_operand(const char *path, size_t limit, size_t *length);

/* ---- spored-signal.c: the completion signal, as it is on disk ---- */

struct completion {
  bool given;
  bool failed;
  char *message;   /* NULL: none */
  char *timestamp; /* NULL: unknown */
  char *file;      /* NULL: unknown; where the signal was written besides */
};
/* The note in /run/spawn, else the completion file. */
struct completion read_completion(void);
/* What `spored complete` sends a word to, for `spored boot`. */
char *completion_socket(void);
char *completion_file(void);
char *completion_note(void);

/* ---- spored-members.c ---- */

struct member {
  char *instance_id, *name, *dns, *ip;
  int64_t index;
};
/* Of the peers file: NULL and why when it is not there or not whole. */
struct member *read_members(size_t *count, const char **why);
/* Index in the list, or -1. */
ssize_t find_member(const struct member *members, size_t count, const char *host);
/* The exec.sock of a member. */
char *member_socket(const char *instance_id);
/* Of this instance; where nobody has said it, the name of this host. */
const char *own_id(void);
/* Something accepts connections there: its init lives. */
bool socket_lives(const char *path);
/* -1 with errno. A path may be longer than an address can be. */
int connect_to(const char *path);
/* A socket that becomes readable when somebody sends a word there. There are as many of them as files, while a user has but a few inotify(7). */
int listen_for_word(const char *path);
void send_word(const char *path);

/* ---- exec-channel.c: one process in an instance, started through its exec.sock (exec-protocol.h) ---- */

struct channel_request {
  char *const *argv;
  char *const *env; /* additions, NAME=value; NULL: none */
  const char *cwd;  /* NULL: the home directory */
  int fds[3];
  uint32_t flags;    /* enum exec_flag */
  uint32_t grace_ms; /* between TERM and KILL when this process is gone */
};
struct channel {
  int fd; /* to watch */
  pid_t started; /* inside; 0: not yet */
  size_t filled;
  uint8_t record[12];
};
struct channel_end {
  enum { END_EXITED, END_SIGNALLED, END_NOT_STARTED, END_GONE } how;
  int number;      /* exit code, or signal */
  int code;        /* what a shell would say: 128 + n for a signal, 126 and 127 for a program that cannot be run, 125, 255 when gone */
  const char *why; /* of the last two */
};
/* False with errno when nobody accepts it, E2BIG when it is too large. */
bool channel_open(struct channel *channel, const char *socket, const struct channel_request *request);
/* True when it has ended; reads what is there and does not wait. */
bool channel_read(struct channel *channel, struct channel_end *end);
void channel_signal(const struct channel *channel, int number);
/* A descriptor that tells of the signals which are passed on, and of SIGCHLD and SIGWINCH; they are blocked from here on. */
int take_signals(void);
/* The next of them; 0: none waits. */
int next_signal(int signals);
/* The signals as they were before `take_signals`: also in a child, before it becomes another program. */
void give_signals_back(void);
bool is_passed_on(int number);
/* Of this user. For the caller to free. */
char *login_shell(void);
/* Runs it and passes signals on until it has ended. */
struct channel_end run_there(const char *socket, const struct channel_request *request);

/* ---- exec-terminal.c ---- */

/* The same on a terminal of its own there, joined to the one that is standard input here. */
struct channel_end run_on_terminal(const char *socket, const struct channel_request *request);

/* ---- verbs ---- */

int run_complete(int argc, char **argv);
int run_status(int argc, char **argv);
int run_wait_peers(int argc, char **argv);
int run_config(int argc, char **argv);
int run_reload(int argc, char **argv);
int run_queue(int argc, char **argv);
int run_rsh(int argc, char **argv);
int run_boot(int argc, char **argv);
int run_progress(int argc, char **argv);
int run_checkpoint(int argc, char **argv);
int run_emit(int argc, char **argv);
int run_result(int argc, char **argv);
/* Called by the name `ssh`: a member, or the program `ssh` after this one in PATH. */
int run_as_ssh(int argc, char **argv);
/* scp or sftp. */
int run_as_copy(const char *name, int argc, char **argv);

#endif
