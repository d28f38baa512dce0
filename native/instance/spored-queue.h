/* A queue of the members of one array: a directory that all of them see, with one file for each item. What an item is (ready, taken, done) is
   the directory it is in, and it moves by rename(2), so that of two who want it one gets it, and a kill leaves it where it is.

     NAME/lock            held while items are numbered
     NAME/next            the next number
     NAME/ready/NUMBER    ten digits, so that the order of names is that of pushing
     NAME/taken/OWNER~NUMBER
     NAME/done/NUMBER
     NAME/fresh/…         being written

   OWNER is the session of the process that took it: `INSTANCE~start of its init~session~start of its leader`. */
#ifndef SPAWN_SPORED_QUEUE_H
#define SPAWN_SPORED_QUEUE_H

#include "spored.h"

#define MAX_ITEM_BYTES 65536
#define MAX_ITEMS 1000000

/* The directory of a queue, made if it is not there; ends the process when it cannot be. */
char *open_queue(const char *name);
char *queue_part(const char *queue, const char *part);
/* Appends items; ends the process when the queue would be too large or the disk is full: what was pushed before stays. */
struct pusher *begin_push(const char *queue);
void push_item(struct pusher *pusher, const char *item, size_t length);
size_t end_push(struct pusher *pusher);
/* Moves the oldest ready item to this session; false: there is none. */
bool take_item(const char *queue, uint64_t *number, char **item);
/* Moves an item of this instance to done; false with why. */
bool finish_item(const char *queue, uint64_t number, const char **why);
/* Makes ready again what sessions hold that have ended, in this instance and in members that are gone; how many. */
size_t give_back(const char *queue);
/* Has members that live, and hold items of the queue, do the same. */
void ask_holders(const char *queue, const char *name);

struct held {
  uint64_t number;
  char *instance;
};
struct counts {
  size_t ready, taken, done;
  struct held *held; /* taken of them */
};
struct counts count_items(const char *queue);

/* ---- spored-owner.c ---- */

/* Of the process that called this command. */
const char *own_session(void);
/* Whether the session that `owner` (without number) names may still live. Asks no member. */
bool owner_lives(const char *owner);
bool is_own(const char *owner);

#endif
