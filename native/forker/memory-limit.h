/* What holds a task to its memory: the kernel, by a cgroup, or a look now and then. */
#ifndef SPAWN_MEMORY_LIMIT_H
#define SPAWN_MEMORY_LIMIT_H

#include "forker.h"

/* ---- limit-memory.c ---- */
void memory_open(void);
/* Before the start; the descriptor by which the child joins its group, -1 when it has none. */
int memory_begin(struct task *task);
/* Once its main process has ended; true: the kernel has killed a process of it for its memory. */
bool memory_killed(const struct task *task);
void memory_end(struct task *task);
/* Looks now if it is time; milliseconds until the next look, -1 when nothing is limited. */
int memory_look_if_due(void);
void memory_leave(void);

/* ---- rss.c ---- */
/* Sets used_bytes of the limited tasks that have no group. */
void rss_sample(void);

/* ---- cgroup.c, cgroup-home.c ---- */
enum cgroup_kind { CGROUP_NONE, CGROUP_V1, CGROUP_V2 };
/* Where groups may be made: the folder of our own group, -1 when there is none. */
int cgroup_home(enum cgroup_kind *kind);
bool cgroup_write(int folder, const char *file, const char *text);
size_t cgroup_read(int folder, const char *file, char *text, size_t room);
bool cgroup_open(void);
int cgroup_make(struct task *task);
bool cgroup_oom_killed(const struct task *task);
void cgroup_drop(struct task *task);
/* Lets its processes stand still or go on; false: its group cannot, or it has none. */
bool cgroup_freeze(const struct task *task, bool on);
/* Removes the groups of ended tasks, with what is left in them; true while some are left. */
bool cgroup_tidy(void);
void cgroup_leave(void);

#endif
