#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>

#include "forker.h"

#define CPU_MILLI 1000

/* The CPUs we may use ourselves, each with the load of the tasks that are bound to it. Other workers of this machine are not
   known here, so ties are broken from a place that differs between forkers. */
struct cpu {
  uint32_t number;
  uint64_t load;
};
static struct cpu *cpus;
static uint32_t cpu_count, tie_from;

struct binding {
  cpu_set_t set;
  uint32_t count;
  struct share {
    uint32_t cpu, milli; /* place in `cpus` */
  } shares[];
};

void cpus_open(void) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  cpus = must_alloc((size_t)CPU_COUNT(&allowed) * sizeof *cpus);
  for (uint32_t number = 0; number < CPU_SETSIZE; number++) {
    if (CPU_ISSET(number, &allowed)) cpus[cpu_count++].number = number;
  }
  if (cpu_count == 0) return;
  tie_from = (uint32_t)F.pid % cpu_count;
  F.capabilities |= CAN_AFFINITY;
}

static uint32_t least_loaded(const cpu_set_t *taken) {
  uint32_t best = cpu_count;
  for (uint32_t i = 0; i < cpu_count; i++) {
    uint32_t at = (tie_from + i) % cpu_count;
    if (CPU_ISSET(cpus[at].number, taken)) continue;
    if (best == cpu_count || cpus[at].load < cpus[best].load) best = at;
  }
  return best;
}

void cpus_bind(struct task *task) {
  if (cpu_count == 0) return;
  uint32_t left = task->cpu_milli, wanted = left / CPU_MILLI + (left % CPU_MILLI != 0);
  if (wanted > cpu_count) wanted = cpu_count;
  struct binding *binding = must_alloc(sizeof *binding + wanted * sizeof *binding->shares);
  for (; binding->count < wanted; binding->count++) {
    uint32_t cpu = least_loaded(&binding->set), milli = left < CPU_MILLI ? left : CPU_MILLI;
    left -= milli;
    cpus[cpu].load += milli;
    binding->shares[binding->count] = (struct share){.cpu = cpu, .milli = milli};
    CPU_SET(cpus[cpu].number, &binding->set);
  }
  task->binding = binding;
}

void cpus_release(struct task *task) {
  for (uint32_t i = 0; i < task->binding->count; i++) cpus[task->binding->shares[i].cpu].load -= task->binding->shares[i].milli;
  free(task->binding);
  task->binding = NULL;
}

/* A CPU that was taken from us since leaves the task with those that are left, or with all: it is not worth its failure. */
void cpus_apply(const struct binding *binding) {
  if (binding->count < cpu_count) sched_setaffinity(0, sizeof binding->set, &binding->set);
}
