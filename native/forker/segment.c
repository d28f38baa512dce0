#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forker.h"

/* The files of a job's log: each is followed by the next when it is large enough, and few are open at once. */

/* More are closed, the least recently used first; they are opened again when needed. */
#define MAX_OPEN_SEGMENTS 64

static uint64_t use_counter;
static struct job *open_jobs[MAX_OPEN_SEGMENTS];
static size_t open_count;

void segment_close(struct job *job) {
  if (job->fd < 0) return;
  close(job->fd);
  job->fd = -1;
  for (size_t i = 0; i < open_count; i++) {
    if (open_jobs[i] == job) open_jobs[i] = open_jobs[--open_count];
  }
}

void segments_leave(void) {
  for (size_t bucket = 0; bucket < F.jobs.bucket_count; bucket++) {
    for (struct node *node = F.jobs.buckets[bucket]; node != NULL; node = node->next) {
      struct job *job = (struct job *)node;
      segment_close(job);
      job->segment = 0;
      job->offset = 0;
      job->roll = false;
    }
  }
}

static void note_open(struct job *job, int fd) {
  if (open_count == MAX_OPEN_SEGMENTS) {
    struct job *oldest = open_jobs[0];
    for (size_t i = 1; i < open_count; i++) {
      if (open_jobs[i]->used_at < oldest->used_at) oldest = open_jobs[i];
    }
    segment_close(oldest);
  }
  open_jobs[open_count++] = job;
  job->fd = fd;
}

static int segment_at(int job_dir, const struct job *job, int flags) {
  char name[96];
  snprintf(name, sizeof name, "%s-%u.seg", F.session_tag, job->segment);
  return openat(job_dir, name, flags | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
}

int segment_ensure(struct job *job) {
  job->used_at = ++use_counter;
  if (job->offset >= F.max_segment_bytes) job->roll = true;
  if (job->roll) segment_close(job);
  if (job->fd >= 0) return 0;

  char name[16];
  snprintf(name, sizeof name, "%u", (uint32_t)job->node.key);
  if (mkdirat(F.log_dir, name, 0700) != 0 && errno != EEXIST) return errno;
  int job_dir = openat(F.log_dir, name, O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (job_dir < 0) return errno;
  int fd = -1, error = 0;
  if (!job->roll && job->segment > 0) {
    fd = segment_at(job_dir, job, 0);
    struct stat found;
    if (fd >= 0 && (fstat(fd, &found) != 0 || (uint64_t)found.st_size < job->offset)) {
      close(fd); /* somebody shortened it; what it held is gone, but nothing is written into the gap */
      fd = -1;
      errno = ENOENT;
    }
    if (fd < 0 && errno != ENOENT) error = errno;
  }
  while (fd < 0 && error == 0) {
    job->segment++;
    fd = segment_at(job_dir, job, O_CREAT | O_EXCL);
    if (fd >= 0) {
      job->offset = 0;
      job->roll = false;
    } else if (errno != EEXIST) {
      error = errno;
      job->segment--;
    }
  }
  close(job_dir);
  if (fd >= 0) note_open(job, fd);
  return error;
}
