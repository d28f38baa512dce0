# R batchtools over sbatch/squeue/scancel on PATH. Usage: Rscript batchtools.R WORKDIR
suppressMessages(library(batchtools))
work <- commandArgs(TRUE)[1]
template <- file.path(work, "slurm.tmpl")
writeLines(c("#!/bin/sh",
  "#SBATCH --job-name=<%= job.name %>", "#SBATCH --output=<%= log.file %>", "#SBATCH --error=<%= log.file %>",
  "#SBATCH --time=<%= ceiling(resources$walltime / 60) %>", "#SBATCH --ntasks=1",
  "#SBATCH --cpus-per-task=<%= resources$ncpus %>", "#SBATCH --mem-per-cpu=<%= resources$memory %>",
  "<%= if (array.jobs) sprintf(\"#SBATCH --array=1-%i\", nrow(jobs)) else \"\" %>",
  "Rscript -e 'batchtools::doJobCollection(\"<%= uri %>\")'"), template)
reg <- makeRegistry(file.dir = file.path(work, "registry"), conf.file = NA, seed = 1)
reg$cluster.functions <- makeClusterFunctionsSlurm(template, array.jobs = TRUE, scheduler.latency = 0.2, fs.latency = 5)
resources <- list(walltime = 600, memory = 300, ncpus = 1)
ids <- batchMap(function(x) if (x == 3) stop("three") else x^2, x = 1:4, reg = reg)
ids$chunk <- 1
submitJobs(ids, resources = c(resources, chunks.as.arrayjobs = TRUE), reg = reg)
waitForJobs(sleep = 0.5, stop.on.error = FALSE, reg = reg)
stopifnot(identical(findErrors(reg = reg)$job.id, 3L), identical(unlist(reduceResultsList(findDone(reg = reg), reg = reg)), c(1, 4, 16)))
# One that is killed while it runs.
functions <- reg$cluster.functions
reg <- makeRegistry(file.dir = file.path(work, "registry2"), conf.file = NA, seed = 1)
reg$cluster.functions <- functions
extra <- batchMap(function(x) Sys.sleep(60), x = 1, reg = reg)
submitJobs(extra, resources = resources, reg = reg)
while (nrow(findRunning(reg = reg)) == 0) Sys.sleep(0.2)
stopifnot(nrow(killJobs(findOnSystem(reg = reg), reg = reg)) == 1)
while (nrow(findOnSystem(reg = reg)) > 0) Sys.sleep(0.2)
cat("batchtools ok\n")
