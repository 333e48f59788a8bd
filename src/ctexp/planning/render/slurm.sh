#!/usr/bin/env bash
#SBATCH --job-name=@plan@
#SBATCH --array=1-@tasks@
#SBATCH --nodes=1@options@
#SBATCH --time=@time@
#SBATCH --signal=B:TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=slurm-@plan@-%A_%a.out
#
# The plan @plan@ as a SLURM array: @count@, a task each, and one for the analysis. Rendered; change the
# plan and render it again:
#   scripts/inv plan-render @plan_file@ --executor @executor@
#
# plan    @plan_file@
# sha256  @plan_sha256@
# seal    
#
# bash @script@ [OPTION...]   submit it; `sbatch` from the project's folder does the same
#   --dry-run   check everything and show every command; nothing is submitted
#   --status    how the newest queue of the plan stands
#   --resume    go on with the newest queue as it began, whatever the plan says by now
#   --fresh     begin a new queue, also where one could be gone on with
#   --only ID   this job alone; may be given again
#   --help      show this
#
# Partition, account and the like are those of conf/executor/@executor@.yaml; sbatch takes others from its
# command line, or from SBATCH_PARTITION and its kind. The project's folder has to be the same on every node.
#
# Two minutes before its time is over, or when it has to make room for others, a task stops on a checkpoint,
# and goes on from there when the cluster starts it again. Exit codes: 0 done; 12 the job failed, or was left
# out; 5 the disk is full; 75 others have to run first; 143 stopped. Of the analysis: as of a night on one
# machine. Of the submission: 4 where SLURM takes nothing.

# All is in functions, so that bash has read the whole file before it does anything. There is no `set -e`:
# what ends a task is decided below. Not every plan needs every function:
# shellcheck disable=SC2034,SC2317,SC2329
set -u

plan=@plan@
plan_file=@plan_file@
plan_sha256=@plan_sha256@

@functions@

# All attempts at the job of this task, or the analysis.
task() {
    local key code=0 answer=$CTEXP_QUEUE_DIR/tasks/$CTEXP_TASK.key
    trap 'stop 130' INT
    trap 'stop 143' TERM
    trap '' HUP
    unset SLURM_NTASKS SLURM_NPROCS # else a training would look for its like, and requeue itself
    while [[ ! $stopped ]]; do
        follow hold "$CTEXP_TASK" >"$answer" || code=$?
        key=$(<"$answer")
        [[ $key && $code == 0 ]] || break
        job "$key" || code=$?
        ((code == 0)) || break
    done
    if [[ $stopped ]] || ((code == 75)); then
        again
    fi
    if [[ $CTEXP_TASK == analysis && ! $stopped ]]; then
        analysis
        ending=yes
        follow end 0
        code=$?
    fi
    return "${stopped:-$code}"
}

# Give the node back; the cluster starts this task again. One that was cancelled stays so.
again() {
    [[ $(squeue --noheader --job "$SLURM_JOB_ID" --format %T) == RUNNING ]] || return
    ((${SLURM_RESTART_COUNT:-0} < 100)) || return
    scontrol requeue "$SLURM_JOB_ID" && sleep 60
}

main() {
    local script
    if [[ ${CTEXP_TASK:-} && ${BASH_SOURCE[0]} -ef $CTEXP_QUEUE_DIR/queue.sh ]]; then
        cd -- "$CTEXP_ROOT" && activate && task
        return
    fi
    if [[ " $* " == *" --help "* ]]; then
        sed -n '/^# The /,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        return
    fi
    script=$(realpath -- "${BASH_SOURCE[0]}") && find_root && activate || return 4
    options "$@"
    if [[ ! $rehearsing && ! ${SLURM_ARRAY_TASK_ID:-} ]]; then
        submit "$script" "$@"
        return
    fi
    set -- begin --plan "$plan_file" --sha256 "$plan_sha256" --script "$script" --target slurm@named@ -- "$@"
    if [[ $rehearsing ]]; then
        "${queue[@]}" "$@" && rehearse
    else
        exec "${queue[@]}" "$@"
    fi
}

# Put the array in line. Where SLURM does not take it, what it says last says why.
submit() {
    local said advice="see sinfo, and conf/executor/@executor@.yaml"
    if { said=$(sbatch "$@" 2>&1 >&3); } 3>&1; then
        [[ ! $said ]] || echo "$said" >&2
        return
    fi
    if ! sinfo --noheader &>/dev/null; then
        advice="submit from a machine that sees the cluster; for this one: scripts/inv plan-render $plan_file"
    fi
    echo "SLURM takes nothing: ${said##*$'\n'} -> $advice" >&2
    return 4
}

# A task runs a copy of this script from a folder of SLURM's own.
find_root() {
    local folder=${script%/*}
    if [[ ! ${SLURM_ARRAY_TASK_ID:-} ]]; then
        cd -- @root@ || return
    elif cd -- "$SLURM_SUBMIT_DIR" && [[ ! -f tasks.py || ! -d conf ]]; then
        echo "$PWD is not the project's folder: submit from there" >&2
        return 4
    fi
}

main "$@"; exit
