/* One small process that starts tasks, keeps their output, waits for them and kills them. Single thread; everything that can
   block forever (a full stdout, a silent task) is polled. Each part has its own file; this header is their shared vocabulary. */
#ifndef SPAWN_FORKER_H
#define SPAWN_FORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "bytes.h"
#include "protocol.h"

/* ---- map.c: intrusive hash maps; the node is the first member of what it holds ---- */

struct node {
  uint64_t key;
  struct node *next;
};
struct map {
  struct node **buckets;
  size_t bucket_count, count;
};
struct node *map_get(const struct map *map, uint64_t key);
void map_put(struct map *map, struct node *node, uint64_t key);
void map_remove(struct map *map, struct node *node);

/* ---- memory.c: allocation that ends the process, and with it every task, when there is no memory ---- */

void *must_alloc(size_t bytes);
void *must_realloc(void *old, size_t bytes);
void forget_peak_memory(void);

/* ---- env.c ---- */

struct env_block {
  struct node node;
  uint32_t users;      /* the table and every queued run */
  uint32_t count;
  char **strings;      /* "NAME=value", names unique */
  uint32_t *index;     /* open hash of names: position + 1 in strings */
  uint32_t index_mask;
  char *bytes;
  bool invalid; /* a string with a NUL: no process can have it, so its runs fail */
};
struct text {
  const uint8_t *bytes;
  uint32_t length;
};
void env_set(uint32_t id, uint32_t count, const struct text *strings);
void env_drop(uint32_t id);
struct env_block *env_use(uint32_t id);
void env_release(struct env_block *block);
/* The block with `extra` laid over it; valid until the next call. */
char **env_merge(const struct env_block *block, char *const *extra, uint32_t extra_count);

/* ---- tasks ---- */

struct task;
struct stream {
  struct task *task;
  int fd; /* -1 when closed */
  uint32_t full_reads;
};

/* What a RUN asked for; its strings live in one allocation behind it. */
struct run {
  struct env_block *env;
  char *cwd, *stdin_path, *output_paths[2];
  char **argv; /* one spare slot before the first and a NULL after the last, for a script without #! */
  uint32_t argc;
  char **extra;
  uint32_t extra_count;
  uint32_t umask;
  bool append;
};

struct queue {
  struct node node;
  uint32_t width, live;
  struct task *first, *last;
};

struct job {
  struct node node;
  uint32_t users;    /* unfinished tasks that write here */
  uint32_t segment;  /* 0: none opened yet */
  uint64_t offset;   /* end of the last whole record */
  bool roll;         /* the next write opens a new segment */
  int fd;
  uint64_t used_at;  /* write counter, for closing the least recently used */
};

struct binding; /* cpus.c: the CPUs a task is bound to */
struct ring; /* ring.c: the last bytes of an attempt whose head is full */

enum task_state { TASK_QUEUED, TASK_LIVE, TASK_LINGERING /* main process ended, its group still has its grace */ };

struct task {
  struct node by_fence;
  struct node by_pid;
  enum task_state state;
  uint32_t job_id, position, attempt;
  pid_t pid;
  uint64_t order; /* grows with every start */
  struct task *older, *newer;
  struct queue *queue;
  struct task *next_queued;
  struct run *run; /* until started */

  uint64_t started_us, limit_us;
  uint32_t grace_ms;
  uint8_t cause;
  uint8_t killing; /* 0, SIGTERM or SIGKILL: the strongest sent */
  uint64_t due_us; /* timer: the warning, the time limit, or the end of the grace */
  size_t heap_index; /* 0: no timer */
  bool suspended, frozen; /* frozen: by the kernel, in its cgroup */
  uint64_t suspended_us, stood_us; /* since when it stands still, and for how long it did before */
  uint64_t warn_before_us;
  uint8_t warn_signal; /* 0: none, or sent */
  bool warn_main_only;

  uint32_t cpu_milli;
  struct binding *binding;
  uint64_t memory_bytes; /* 0: no limit */
  bool limited;          /* it has one, and has been started */
  uint64_t used_bytes;   /* while it is sampled */
  uint64_t group;        /* number of its cgroup; 0: none */

  int status;
  struct rusage usage;
  uint64_t wall_us;

  struct stream streams[2];
  struct job *job; /* NULL: output is discarded */
  uint64_t log_cap, head_left;
  uint64_t kept[2], dropped[2], lost[2], unnoted[2];
  struct ring *ring;
  int copies[2]; /* -1: none, or ended */
  bool copied[2];
  bool copy_capped; /* it is the output of its instance, which ends at a size */
  uint64_t copy_lost;
  uint32_t start_segment;
  uint64_t start_offset;
};

/* ---- the whole state ---- */

struct forker {
  pid_t pid;
  int epoll, signals, lease_timers[2], null_read, null_write, log_dir;
  uint32_t capabilities;
  mode_t umask;
  struct rlimit files;
  char session_tag[65];
  uint64_t max_segment_bytes;

  struct map by_fence, by_pid, jobs, queues, envs;
  struct task *oldest, *newest; /* live and lingering */
  size_t live_count, queued_count;
  size_t lingering_count, limited_count;
  uint64_t order;

  bool quitting, input_ended, stopping;
  uint64_t stop_by_us;

  bool leased, lease_expired;
  int lease_clock;
  uint64_t lease_at_us;
  uint32_t lease_grace_ms;
};
extern struct forker F;

uint64_t clock_us(int clock);
uint64_t now_us(void); /* CLOCK_MONOTONIC */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

/* ---- input.c ---- */
void input_read(void);
/* Executes what has arrived, a bounded number of starts at a time; true: more is waiting. */
bool input_process(void);

/* ---- output.c ---- */
void event_ready(void);
void event_started(const struct task *task);
void event_ended(const struct task *task, uint32_t end_segment, uint64_t end_offset);
void event_spawn_failed(uint64_t fence, enum step step, int error);
void event_refused(uint64_t fence, enum refusal reason);
void event_lease_expired(uint32_t killing, uint32_t refused);
size_t output_waiting(void);
void output_flush(void);
bool output_broken(void);

/* ---- start.c ---- */
/* 0, or the errno with *step set; on success task->pid and the streams are set. */
int start_process(struct task *task, enum step *step);

/* ---- tasks.c ---- */
void task_run(struct task *task, uint32_t queue_id, uint32_t queue_width);
struct task *task_find(uint64_t fence);
/* Takes it back if it has not started; false: it has. */
bool task_withdraw(struct task *task);
/* Its main process is reaped and its group killed or gone: take what it wrote, report, let the next one start. */
void task_finish(struct task *task);
void tasks_reap(void);
uint32_t tasks_refuse_queued(enum refusal reason);
/* Ends lingering tasks whose last process is gone, or later when many tasks live; milliseconds until then, -1 when there is none. */
int tasks_settle_if_due(void);
void stream_read(struct stream *stream);

/* ---- kill.c ---- */
void task_kill(struct task *task, enum cause cause, uint64_t grace_ms);
void task_signal(const struct task *task, int signal, bool main_only);
/* Sets the timer of a task that has started. */
void task_arm(struct task *task);
/* Another time limit, from the start; 0: none. */
void task_limit(struct task *task, uint64_t limit_us);
void tasks_expire(void);
uint32_t tasks_kill_all(enum cause cause, uint64_t grace_ms);

/* ---- suspend.c ---- */
/* All its processes stand still, and so does the clock of its time limit, until it is resumed or killed. */
void task_suspend(struct task *task);
void task_resume(struct task *task);
/* Since its start, without the time it stood still. */
uint64_t task_ran_us(const struct task *task);

/* ---- tree.c: processes and those below them ---- */
struct member {
  pid_t pid;
  struct task *task;
};
struct members {
  struct member *at;
  size_t count, room;
};
/* This kernel lists the children of a process. */
bool tree_can(void);
void tree_add(struct members *all, pid_t pid, struct task *task);
/* Adds the children of one that is in it. */
void tree_add_children(struct members *all, struct member parent, bool has_one_thread);

/* ---- timers.c: a heap of tasks by due_us ---- */
void timer_set(struct task *task, uint64_t due_us);
void timer_clear(struct task *task);
struct task *timer_first(void);

/* ---- orphans.c ---- */
void orphans_ended(pid_t pid); /* a child that is no task was reaped */
void orphans_look_soon(void);
void orphans_changed(void); /* the list of children that was read last is out of date */
/* Up to so many live tasks, looking for what each has left costs little. */
#define FEW_TASKS 64
/* Until the list of children may be read again for something that was last looked at then. */
int orphans_pause_ms(uint64_t looked_us);
/* Looks now, or later when many tasks live; milliseconds until then, -1 when there is nothing to look for. */
int orphans_look_if_due(void);
/* Whether processes of this attempt live that have left its group. */
bool orphans_of(uint64_t fence);
/* TERM or KILL to those that have left the group of their task. */
void orphans_signal(uint64_t fence, pid_t task_group, int signal);
void orphans_each(void (*visit)(pid_t pid, uint64_t fence));
/* Kills every child that is no task; true while any child is left. */
bool orphans_kill_all(void);

/* ---- lease.c ---- */
void lease_set(uint64_t ms, int clock_kind, uint32_t grace_ms, uint64_t sent_at_us);
bool lease_refuses(void);
void lease_check(void);
/* Until the loop has to call it again for the sake of the backstop; -1: not for that. */
int lease_wait_ms(void);
void lease_note_round(void);

/* ---- segment.c: the files of a job's log ---- */
/* Leaves job->fd open for writing at job->offset, or returns the errno. */
int segment_ensure(struct job *job);
void segment_close(struct job *job);
/* Under another name nothing goes on: what an earlier session left running writes into files of the new one from their beginning. */
void segments_leave(void);

/* ---- log.c ---- */
void log_open(const uint8_t *directory, size_t directory_length, const uint8_t *tag, size_t tag_length);
void log_begin(struct task *task);
void log_bytes(struct task *task, int stream, const uint8_t *bytes, size_t length);
/* Writes the tail, lets go of the job, tells where the log ends. */
void log_finish(struct task *task, uint32_t *segment, uint64_t *offset);
void log_forget(uint32_t job_id);

/* A line for people, about something that is not the task's own output. */
void log_note(struct task *task, uint8_t flag, const char *text);

/* ---- copy.c: what a task writes, in files of the user's choice ---- */
/* 0, or the errno with *step set. */
int copy_open(struct task *task, enum step *step);
void copy_bytes(struct task *task, int stream, const uint8_t *bytes, size_t length);
void copy_close(struct task *task);

/* ---- cpus.c ---- */
void cpus_open(void);
void cpus_bind(struct task *task);
void cpus_release(struct task *task);
/* In the child. */
void cpus_apply(const struct binding *binding);

/* ---- ring.c ---- */
struct ring *ring_new(uint64_t cap, uint64_t *dropped);
void ring_put(struct ring *ring, uint8_t stream, uint64_t time_ms, const uint8_t *bytes, size_t length);
/* Takes the oldest entry: at most two pieces, at most MAX_LOG_DATA_BYTES together; false when empty. */
bool ring_take(struct ring *ring, uint8_t *stream, uint64_t *time_ms, struct iovec pieces[2]);
void ring_free(struct ring *ring);

#endif
