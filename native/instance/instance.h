/* One binary with many calls: it starts an instance, is its first process, runs commands in it, and is the `spored` command inside. */
#ifndef SPAWN_INSTANCE_H
#define SPAWN_INSTANCE_H

/* Each is the main function of one call; argv[0] is the name of the call. The result is the exit code. */

/* `start DIR` (start.c): starts the instance of this directory and leaves. */
int start_main(int argc, char **argv);
/* `serve TITLE` (serve.c): starts the instances that its standard input names. */
int serve_main(int argc, char **argv);
/* `remove DIR` (remove.c): removes everything in it, and the groups of instances that are gone. */
int remove_main(int argc, char **argv);
/* `probe` (probe.c): what this kernel allows this user, as JSON. */
int probe_main(int argc, char **argv);
/* `exec` (exec-client.c): runs a command in an instance through its exec socket. */
int exec_client_main(int argc, char **argv);
/* `spored`, or called by that name or as `ssh` (spored.c): the command inside. */
int spored_main(int argc, char **argv);

#endif
