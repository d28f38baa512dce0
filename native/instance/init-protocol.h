/* What the agent and the init of an instance tell each other over <instance directory>/run/init.sock; the TypeScript side is
   src/providers/local/sandbox-link.ts. Stream of frames: u32 length of what follows, u8 type, payload; numbers little endian. One agent at a
   time: a newer connection ends the older one. */
#ifndef SPAWN_INIT_PROTOCOL_H
#define SPAWN_INIT_PROTOCOL_H

#define INIT_PROTOCOL_VERSION 1
#define INIT_MOST_FRAME (1u << 20)
#define INIT_NEVER UINT64_MAX

/* Agent to init. All but the first begin with a u32 that the answer repeats. */
enum init_request {
  /* Bytes for the forker; its frames are given to it only whole. LEASE and QUIT are left out: the forker lives as long as the instance. */
  INIT_TO_FORKER = 1,
  INIT_DEADLINE = 2, /* u64 ms from now, INIT_NEVER: none; and, where it is less than that of machine.conf, u32 grace in ms */
  INIT_FREEZE = 3,
  INIT_THAW = 4,
  INIT_ACTIVITY = 5,
  INIT_STOP = 6, /* u32 grace in ms; answered when it has begun, the connection closes when all has ended */
};

/* Init to agent. */
enum init_message {
  INIT_FROM_FORKER = 1, /* every byte that it ever said, from the first; see the limit in forker-relay.c */
  INIT_HELLO = 2,       /* u16 version, u32 process id of the forker inside, u32 flags */
  INIT_REPLY = 3,       /* u32 of the request, u32 errno; for INIT_ACTIVITY then u64 each: CPU us, disk bytes, memory bytes, processes, logins */
  INIT_ENDING = 4,      /* text: why the instance ends */
  INIT_TAKEN = 5,       /* another agent has connected: this connection is over, and shall not come again */
  INIT_MEMORY = 6,      /* at this place in what the forker said processes had been killed: together they used more memory than the instance has */
};
enum init_flag { INIT_FROZEN = 1, INIT_CGROUP = 2, INIT_OVERLAY = 4 };

#endif
