#include "forker.h"

/* A binary heap; places count from 1, so that 0 can mean "not in it". */
static struct task **heap;
static size_t count, room;

static void place(struct task *task, size_t index) {
  heap[index] = task;
  task->heap_index = index;
}

static void rise(struct task *task, size_t index) {
  for (; index > 1 && heap[index / 2]->due_us > task->due_us; index /= 2) place(heap[index / 2], index);
  place(task, index);
}

static void sink(struct task *task, size_t index) {
  for (size_t child = index * 2; child <= count; index = child, child *= 2) {
    if (child < count && heap[child + 1]->due_us < heap[child]->due_us) child++;
    if (heap[child]->due_us >= task->due_us) break;
    place(heap[child], index);
  }
  place(task, index);
}

void timer_clear(struct task *task) {
  size_t index = task->heap_index;
  if (index == 0) return;
  task->heap_index = 0;
  struct task *last = heap[count--];
  if (last == task) return;
  if (index > 1 && heap[index / 2]->due_us > last->due_us) rise(last, index);
  else sink(last, index);
}

void timer_set(struct task *task, uint64_t due_us) {
  timer_clear(task);
  if (count + 1 >= room) {
    room = room == 0 ? 64 : room * 2;
    heap = must_realloc(heap, room * sizeof *heap);
  }
  task->due_us = due_us;
  rise(task, ++count);
}

struct task *timer_first(void) {
  return count == 0 ? NULL : heap[1];
}
