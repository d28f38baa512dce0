#!/bin/bash
#SBATCH --job-name=sim --array=1-6%2 --mem=100M
#SBATCH --output=sim_%a.txt
echo $((SLURM_ARRAY_TASK_ID ** 2))
