/* The numbers of src/worker/forker/protocol.ts and src/core/log-record.ts, which explain them. */
#ifndef SPAWN_PROTOCOL_H
#define SPAWN_PROTOCOL_H

#define PROTOCOL_VERSION 2
#define MAX_FRAME_BYTES (32u * 1024 * 1024)
#define LEAST_MEMORY_BYTES (1u << 20)
#define UMASK_INHERIT 0xffffffffu
#define EXIT_PROTOCOL 3
#define KIND_NATIVE 1

enum command {
  CMD_ENV = 1,
  CMD_DROP_ENV = 2,
  CMD_LOGS = 3,
  CMD_FORGET_JOB = 4,
  CMD_RUN = 5,
  CMD_KILL = 6,
  CMD_SIGNAL = 7,
  CMD_LEASE = 8,
  CMD_QUIT = 9,
  CMD_LIMIT = 10,
};

enum event {
  EVENT_READY = 1,
  EVENT_STARTED = 2,
  EVENT_ENDED = 3,
  EVENT_SPAWN_FAILED = 4,
  EVENT_REFUSED = 5,
  EVENT_LEASE_EXPIRED = 6,
};

enum capability {
  CAN_SUBREAPER = 1,
  CAN_PDEATHSIG = 2,
  CAN_BOOTTIME = 4,
  CAN_EXACT_USAGE = 8,
  CAN_AFFINITY = 16,
  CAN_MEMORY_CGROUP = 32,
  CAN_MEMORY_SAMPLED = 64,
};

enum run_flag { RUN_APPEND = 1, RUN_WARN_MAIN_ONLY = 2 };
enum cause { CAUSE_NONE, CAUSE_CANCEL, CAUSE_TIME_LIMIT, CAUSE_LEASE, CAUSE_SHUTDOWN, CAUSE_MEMORY, CAUSE_COUNT };
enum clock_kind { CLOCK_KIND_BOOTTIME, CLOCK_KIND_MONOTONIC };
enum step { STEP_NONE, STEP_CWD, STEP_EXEC, STEP_FORK, STEP_PIPE, STEP_STDIN, STEP_OUTPUT };
enum refusal {
  REFUSED_LEASE = 1,
  REFUSED_QUITTING = 2,
  REFUSED_BACKLOG = 3,
  REFUSED_UNKNOWN_ENV = 4,
  REFUSED_DUPLICATE_FENCE = 5,
  REFUSED_WITHDRAWN = 6,
};
enum end_flag { END_CUT = 1, END_LOST = 2, END_EXACT_USAGE = 4 };

#define LOG_MAGIC 0x5053
#define LOG_HEADER_BYTES 32
#define MAX_LOG_DATA_BYTES (64 * 1024)
enum log_stream { LOG_STDOUT = 1, LOG_STDERR = 2, LOG_NOTE = 3 };
enum log_flag { LOG_CUT = 1, LOG_LOST = 2, LOG_COPY = 4 };

#endif
