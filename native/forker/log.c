#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forker.h"

/* Records written by one system call. */
#define BATCH_RECORDS 16

void log_open(const uint8_t *directory, size_t directory_length, const uint8_t *tag, size_t tag_length) {
  if (F.log_dir >= 0) {
    segments_leave();
    close(F.log_dir);
  }
  if (tag_length == 0 || tag_length >= sizeof F.session_tag) die("session tag of %zu bytes", tag_length);
  memcpy(F.session_tag, tag, tag_length);
  if (strspn(F.session_tag, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != tag_length) die("bad session tag");
  char *path = must_alloc(directory_length + 1);
  memcpy(path, directory, directory_length);
  F.log_dir = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
  if (F.log_dir < 0) die("log directory %s: %s", path, strerror(errno));
  free(path);
}

struct record {
  uint8_t header[LOG_HEADER_BYTES];
};

static void fill_header(struct record *record, const struct task *task, uint8_t stream, uint8_t flags, size_t length, uint64_t time_ms) {
  uint8_t *to = put_u16(record->header, LOG_MAGIC);
  *to++ = stream;
  *to++ = flags;
  to = put_u32(to, (uint32_t)length);
  to = put_u64(to, task->by_fence.key);
  to = put_u32(to, task->position);
  to = put_u32(to, task->attempt);
  to = put_u32(to, (uint32_t)time_ms);
  to = put_u16(to, (uint16_t)(time_ms >> 32));
  uint32_t sum = 0;
  for (int i = 0; i < LOG_HEADER_BYTES - 2; i += 2) sum += (uint32_t)record->header[i] | (uint32_t)record->header[i + 1] << 8;
  put_u16(to, (uint16_t)~sum);
}

/* Writes all of it at the job's offset; returns the bytes written (less: errno says why). */
static size_t write_pieces(struct job *job, struct iovec *pieces, int count) {
  size_t done = 0;
  while (count > 0) {
    ssize_t wrote = pwritev(job->fd, pieces, count, (off_t)(job->offset + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) break;
    done += (size_t)wrote;
    while (count > 0 && (size_t)wrote >= pieces->iov_len) {
      wrote -= (ssize_t)pieces->iov_len;
      pieces++;
      count--;
    }
    if (count > 0) {
      pieces->iov_base = (uint8_t *)pieces->iov_base + wrote;
      pieces->iov_len -= (size_t)wrote;
    }
  }
  return done;
}

/* A torn record at the end would hide everything behind it: cut it off, or leave this segment for good. */
static void repair(struct job *job) {
  if (ftruncate(job->fd, (off_t)job->offset) != 0) job->roll = true;
}

/* One record made of up to two pieces; true when it is in the file as a whole. */
static bool write_record(struct task *task, uint8_t stream, uint8_t flags, uint64_t time_ms, const struct iovec data[2]) {
  struct job *job = task->job;
  if (segment_ensure(job) != 0) return false;
  size_t length = data[0].iov_len + data[1].iov_len;
  struct record record;
  fill_header(&record, task, stream, flags, length, time_ms);
  struct iovec pieces[3] = {{.iov_base = record.header, .iov_len = LOG_HEADER_BYTES}, data[0], data[1]};
  size_t wrote = write_pieces(job, pieces, 3);
  if (wrote != LOG_HEADER_BYTES + length) {
    repair(job);
    return false;
  }
  job->offset += wrote;
  return true;
}

static uint64_t time_ms(const struct task *task) {
  return (now_us() - task->started_us) / 1000;
}

static bool write_note(struct task *task, uint8_t flag, const uint64_t bytes[2], const char *what) {
  uint8_t data[160];
  put_u64(put_u64(data, bytes[0]), bytes[1]);
  int text = snprintf((char *)data + 16, sizeof data - 16, "... %llu bytes %s ...\n", (unsigned long long)(bytes[0] + bytes[1]), what);
  struct iovec pieces[2] = {{.iov_base = data, .iov_len = 16 + (size_t)text}, {0}};
  return write_record(task, LOG_NOTE, flag, time_ms(task), pieces);
}

void log_note(struct task *task, uint8_t flag, const char *text) {
  if (task->job == NULL) return;
  uint8_t counts[16] = {0};
  struct iovec pieces[2] = {{.iov_base = counts, .iov_len = 16}, {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)}};
  write_record(task, LOG_NOTE, flag, time_ms(task), pieces);
}

/* The place where bytes are missing is marked as soon as anything can be written again. */
static void note_lost(struct task *task) {
  if (task->unnoted[0] + task->unnoted[1] == 0) return;
  if (write_note(task, LOG_LOST, task->unnoted, "lost here: the log could not be written")) task->unnoted[0] = task->unnoted[1] = 0;
}

static void lose(struct task *task, int stream, uint64_t bytes) {
  task->lost[stream] += bytes;
  task->unnoted[stream] += bytes;
}

/* The plain path: whole reads, cut into records, written many at a time. */
static void write_head(struct task *task, int stream, const uint8_t *bytes, size_t length) {
  struct job *job = task->job;
  uint64_t at_ms = time_ms(task);
  note_lost(task);
  while (length > 0) {
    struct record records[BATCH_RECORDS];
    struct iovec pieces[BATCH_RECORDS * 2];
    size_t batch = 0;
    int count = 0;
    const uint8_t *from = bytes;
    for (; count < BATCH_RECORDS && batch < length; count++) {
      size_t part = length - batch < MAX_LOG_DATA_BYTES ? length - batch : MAX_LOG_DATA_BYTES;
      fill_header(&records[count], task, (uint8_t)(LOG_STDOUT + stream), 0, part, at_ms);
      pieces[count * 2] = (struct iovec){.iov_base = records[count].header, .iov_len = LOG_HEADER_BYTES};
      pieces[count * 2 + 1] = (struct iovec){.iov_base = (void *)(uintptr_t)(from + batch), .iov_len = part};
      batch += part;
    }
    size_t whole = 0;
    if (segment_ensure(job) == 0) {
      size_t wrote = write_pieces(job, pieces, count * 2);
      const size_t record_bytes = LOG_HEADER_BYTES + MAX_LOG_DATA_BYTES;
      if (wrote == batch + (size_t)count * LOG_HEADER_BYTES) {
        whole = batch;
        job->offset += wrote;
      } else {
        size_t whole_records = wrote / record_bytes; /* all but the last have the full length */
        whole = whole_records * MAX_LOG_DATA_BYTES;
        job->offset += whole_records * record_bytes;
        repair(job);
      }
    }
    task->kept[stream] += whole;
    if (whole < batch) lose(task, stream, batch - whole);
    bytes += batch;
    length -= batch;
  }
}

void log_begin(struct task *task) {
  if (F.log_dir < 0 || task->log_cap == 0) return;
  struct job *job = (struct job *)map_get(&F.jobs, task->job_id);
  if (job == NULL) {
    job = must_alloc(sizeof *job);
    job->fd = -1;
    map_put(&F.jobs, &job->node, task->job_id);
  }
  job->users++;
  task->job = job;
  task->head_left = task->log_cap - task->log_cap / 2;
  bool fresh = job->segment == 0 || job->roll;
  task->start_segment = fresh ? job->segment + 1 : job->segment;
  task->start_offset = fresh ? 0 : job->offset;
}

void log_bytes(struct task *task, int stream, const uint8_t *bytes, size_t length) {
  if (task->job == NULL) return;
  size_t head = length < task->head_left ? length : (size_t)task->head_left;
  if (head > 0) {
    task->head_left -= head;
    write_head(task, stream, bytes, head);
  }
  if (length == head) return;
  if (task->ring == NULL) task->ring = ring_new(task->log_cap / 2, task->dropped);
  ring_put(task->ring, (uint8_t)(LOG_STDOUT + stream), time_ms(task), bytes + head, length - head);
}

void log_finish(struct task *task, uint32_t *segment, uint64_t *offset) {
  *segment = 0;
  *offset = 0;
  struct job *job = task->job;
  if (job == NULL) return;
  if (task->ring != NULL) {
    uint64_t dropped[2] = {task->dropped[0], task->dropped[1]};
    if (dropped[0] + dropped[1] > 0) write_note(task, LOG_CUT, dropped, "cut here: the log is limited");
    uint8_t stream;
    uint64_t at_ms;
    struct iovec pieces[2];
    while (ring_take(task->ring, &stream, &at_ms, pieces)) {
      size_t length = pieces[0].iov_len + pieces[1].iov_len;
      note_lost(task);
      if (write_record(task, stream, 0, at_ms, pieces)) task->kept[stream - LOG_STDOUT] += length;
      else lose(task, stream - LOG_STDOUT, length);
    }
    ring_free(task->ring);
    task->ring = NULL;
  }
  note_lost(task);
  *segment = job->segment == 0 ? 1 : job->segment;
  *offset = job->offset;
  task->job = NULL;
  job->users--;
}

void log_forget(uint32_t job_id) {
  struct job *job = (struct job *)map_get(&F.jobs, job_id);
  if (job == NULL) return;
  segment_close(job);
  if (job->users > 0) {
    job->roll = true; /* its tasks go on in a new file */
    return;
  }
  map_remove(&F.jobs, &job->node);
  free(job);
}
