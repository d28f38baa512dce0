/* How a program inside or outside asks the init of an instance to start a process there: over the stream socket /run/spawn/exec.sock, from
   outside <instance directory>/run/exec.sock, and for members of one array /run/spawn/peers/NAME. One request for each connection.

   All numbers are little endian. The client sends

     struct of EXEC_REQUEST_BYTES:
       u32 EXEC_MAGIC
       u32 flags                      EXEC_* below
       u32 bytes of the text after it, at most EXEC_MOST_BYTES
       u32 argc                       1 to EXEC_MOST_STRINGS
       u32 envc                       0 to EXEC_MOST_STRINGS
       u32 grace in ms                between TERM and KILL when the client goes; at most EXEC_MOST_GRACE_MS
     text: the directory, the arguments, then NAME=value of the environment, each ended by a NUL; nothing after the last.
       An empty directory means the home directory.

   The first byte of the request carries exactly three descriptors (SCM_RIGHTS): standard input, output and error. More, or other ones, end the
   connection. The environment of the process is: what /etc/spawn/environment says, over a plain one (PATH HOME USER LOGNAME SHELL LANG),
   and under the additions of the request. argv[0] is looked up in its PATH by the rules of execvp.

   The init answers with records of EXEC_REPLY_BYTES: u32 kind, u32 a, u32 b. First EXEC_STARTED, EXEC_FAILED or EXEC_REFUSED; after EXEC_STARTED
   one EXEC_EXITED or EXEC_SIGNALLED; then it closes. What the process leaves in the background lives on, with the instance.

   Meanwhile the client may send records of EXEC_ORDER_BYTES: u32 kind, u32 value. When it closes (also only for writing) before the end, the
   process group gets TERM, and KILL after the grace. A connection that closes without a last record means that the instance has ended. */
#ifndef SPAWN_EXEC_PROTOCOL_H
#define SPAWN_EXEC_PROTOCOL_H

#define EXEC_MAGIC 0x31585053u /* "SPX1" */
#define EXEC_REQUEST_BYTES 24
#define EXEC_REPLY_BYTES 12
#define EXEC_ORDER_BYTES 8
#define EXEC_DESCRIPTORS 3
#define EXEC_MOST_BYTES (1u << 20)
#define EXEC_MOST_STRINGS 4096u
#define EXEC_MOST_GRACE_MS 600000u

enum exec_flag {
  /* Standard input is a terminal: it becomes the controlling one of the new session. Every process gets a session of its own anyway. */
  EXEC_TERMINAL = 1,
  /* Counts as a login until the connection closes. */
  EXEC_LOGIN = 2,
  /* argv[0] is started as a login shell: the program is argv[0], its own argv[0] is "-" and the last part of that name. */
  EXEC_LOGIN_SHELL = 4,
};
#define EXEC_ALL_FLAGS 7u

enum exec_reply_kind {
  EXEC_STARTED = 1,   /* a: its process id, inside */
  EXEC_FAILED = 2,    /* a: enum exec_step, b: errno */
  EXEC_REFUSED = 3,   /* a: enum exec_refusal */
  EXEC_EXITED = 4,    /* a: exit code */
  EXEC_SIGNALLED = 5, /* a: signal, b: 1 when it dumped core */
};
enum exec_step { EXEC_STEP_FORK = 1, EXEC_STEP_TERMINAL = 2, EXEC_STEP_CWD = 3, EXEC_STEP_EXEC = 4 };
enum exec_refusal {
  EXEC_BAD_REQUEST = 1, /* not as above */
  EXEC_NOT_ALLOWED = 2, /* another user */
  EXEC_ENDING = 3,      /* the instance is being stopped */
  EXEC_FROZEN = 4,      /* it is hibernated */
  EXEC_TOO_MANY = 5,    /* as many connections as it takes are open */
};
enum exec_order {
  EXEC_SIGNAL = 1, /* value: a signal for the process group */
};

#endif
