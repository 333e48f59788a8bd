#!/usr/bin/env bash
#
# The night of the plan backbones: 7 jobs. Rendered; change the plan and render it again:
#   scripts/inv plan-render research/plans/backbones.yaml
#
# plan    research/plans/backbones.yaml
# sha256  0000000000000000000000000000000000000000000000000000000000000000
# seal    457d958759207af5b6c6d81d445ebb5a67863acff38f57336ae333a516b9d633
#
# bash scripts/backbones.sh [OPTION...]   begin a queue, or go on with the one that this script has begun
#   --dry-run   check everything and show every command; nothing is run
#   --status    how the newest queue of the plan stands
#   --resume    go on with the newest queue as it began, whatever the plan says by now
#   --fresh     begin a new queue, also where one could be gone on with
#   --only ID   this job alone, or this experiment; may be given again
#   --detach    go on without this terminal
#   --help      show this
#
# Exit codes: 0 all done; 12 a job failed, or was left out for a reason other than time; 124 the window closed
# with jobs left; 5 the disk is full; 130 or 143 stopped by INT or TERM, and the script goes on from there when
# it is started again. Before anything is begun: 2 a wrong option, or the plan has changed since; 3 data;
# 4 this machine is not ready; 75 another queue is running.

# All is in functions, so that bash has read the whole file before it does anything. There is no `set -e`:
# a job that fails does not end the night. Not every plan needs every function:
# shellcheck disable=SC2034,SC2317,SC2329
set -u

plan=backbones
plan_file=research/plans/backbones.yaml
plan_sha256=0000000000000000000000000000000000000000000000000000000000000000

# Every command below, in the order of running: JOB, then JOB:KIND for what is tried when it fails that way.
keys=(
    densenet121-s42 densenet121-s43 resnet18-s42 resnet18-s42:oom resnet18-s42:diverged resnet18-s43
    resnet18-s43:oom resnet18-s43:diverged folds-s1 tuned-s42 tuned-s42:oom tuned-s43 tuned-s43:oom
)

job() {
    local key=$1
    local base=()
    case $key in
        # at most 1 h 30 min
        densenet121-s42)
            attempt inv train data.name=tiny trainer.max_epochs=3 'data.windows=[lung, soft]' \
                model=densenet121 run.name=backbones-densenet121 seed=42 ;;
        # at most 1 h 30 min
        densenet121-s43)
            attempt inv train data.name=tiny trainer.max_epochs=3 'data.windows=[lung, soft]' \
                model=densenet121 run.name=backbones-densenet121 seed=43 ;;
        resnet18-s42)
            attempt inv train data.name=tiny trainer.max_epochs=3 'data.windows=[lung, soft]' \
                model=resnet18 optim.lr=1e-3 run.name=backbones-resnet18 seed=42 ;;
        resnet18-s42:oom)
            attempt inv train data.name=tiny trainer.max_epochs=3 'data.windows=[lung, soft]' \
                model=resnet18 optim.lr=1e-3 data.batch_size=16 run.name=backbones-resnet18-oom seed=42 ;;
        resnet18-s42:diverged)
            attempt inv train data.name=tiny trainer.max_epochs=3 'data.windows=[lung, soft]' \
                model=resnet18 optim.lr=1e-4 run.name=backbones-resnet18-diverged seed=42 ;;
        resnet18-s43)
            attempt inv train data.name=tiny trainer.max_epochs=3 'data.windows=[lung, soft]' \
                model=resnet18 optim.lr=1e-3 run.name=backbones-resnet18 seed=43 ;;
        resnet18-s43:oom)
            attempt inv train data.name=tiny trainer.max_epochs=3 'data.windows=[lung, soft]' \
                model=resnet18 optim.lr=1e-3 data.batch_size=16 run.name=backbones-resnet18-oom seed=43 ;;
        resnet18-s43:diverged)
            attempt inv train data.name=tiny trainer.max_epochs=3 'data.windows=[lung, soft]' \
                model=resnet18 optim.lr=1e-4 run.name=backbones-resnet18-diverged seed=43 ;;
        # needs resnet18
        folds-s1)
            attempt inv cross-validate data.name=tiny trainer.max_epochs=3 'data.windows=[lung, soft]' \
                model=resnet18 run.name=backbones-folds seed=1 ;;
        # only if val/macro_f1 of resnet18 >= 0.6; base: the best of resnet18, densenet121 by the primary
        # metric; shortened where the window is too short
        tuned-s42)
            base_of tuned-s42 && attempt inv train data.name=tiny trainer.max_epochs=3 \
                'data.windows=[lung, soft]' "${base[@]}" optim.weight_decay=0.1 run.name=backbones-tuned \
                seed=42 ;;
        tuned-s42:oom)
            base_of tuned-s42 && attempt inv train data.name=tiny trainer.max_epochs=3 \
                'data.windows=[lung, soft]' "${base[@]}" optim.weight_decay=0.1 data.batch_size=8 \
                run.name=backbones-tuned-oom seed=42 ;;
        # only if val/macro_f1 of resnet18 >= 0.6; base: the best of resnet18, densenet121 by the primary
        # metric; shortened where the window is too short
        tuned-s43)
            base_of tuned-s43 && attempt inv train data.name=tiny trainer.max_epochs=3 \
                'data.windows=[lung, soft]' "${base[@]}" optim.weight_decay=0.1 run.name=backbones-tuned \
                seed=43 ;;
        tuned-s43:oom)
            base_of tuned-s43 && attempt inv train data.name=tiny trainer.max_epochs=3 \
                'data.windows=[lung, soft]' "${base[@]}" optim.weight_decay=0.1 data.batch_size=8 \
                run.name=backbones-tuned-oom seed=43 ;;
        *)
            echo "no job $key in this script" >&2
            return 1
            ;;
    esac
}

analysis() {
    step compare inv compare-baselines --baseline backbones-resnet18 --candidate backbones-densenet121 \
        --candidate backbones-tuned
    step errors-densenet121 inv analyze-errors --run backbones-densenet121
    step errors-resnet18 inv analyze-errors --run backbones-resnet18
    step errors-folds inv analyze-errors --run backbones-folds
    step errors-tuned inv analyze-errors --run backbones-tuned
    step report inv report --queue "$CTEXP_QUEUE" --baseline backbones-resnet18
}

queue=(python -P -m ctexp.queue) # decides, watches, writes down
rehearsing= # for a --dry-run
only=       # the ids of --only
stopped=    # the exit code for the first INT or TERM
signals=0   # how many of them came
child=      # what runs now
declare -A others=() # what else does, by key: attempts of a night that has room for several at once
ending=     # and nothing will after it

# One attempt at the job $key. What it came to is in the journal; a code other than 0 ends the night.
attempt() {
    if [[ $rehearsing ]] || ((${CTEXP_SLOTS:-1} == 1)); then
        follow run "$key" -- "$@"
    else
        "${queue[@]}" run "$key" -- "$@" &
        others[$key]=$!
        [[ ! $stopped ]] || kill -TERM "$!"
    fi
}

# One step of the analysis, called $1.
step() {
    [[ $stopped ]] || follow step "$1" -- "${@:2}"
}

# What the best of several experiments was trained with goes into the array `base`.
base_of() {
    if [[ $rehearsing ]]; then
        base=(BASE...)
    else
        mapfile -t -d '' base < <("${queue[@]}" base "$1")
        wait "$!"
    fi
}

# Signals have to reach what runs: bash hears them during `wait`, not during a program in the foreground.
follow() {
    local code
    if [[ $rehearsing ]]; then
        show "$2" "${@:4}"
        return
    fi
    "${queue[@]}" "$@" &
    child=$!
    [[ $ending || ! $stopped ]] || kill -TERM "$child"
    ended "$child"
    code=$?
    child=
    return "$code"
}

# Wait for the process $1; its exit code.
ended() {
    local heard code
    while
        heard=$signals
        wait "$1"
        code=$?
        ((heard != signals))
    do :; done
    # Of one that ends while a signal is heard bash may forget the code, and say -1.
    ((code >= 0)) || code=${stopped:-1}
    return "$code"
}

# Called by traps. Always as TERM: a program in the background does not hear INT before it has asked to.
# What writes the page down is left to it: it is soon over.
stop() {
    stopped=${stopped:-$1}
    signals=$((signals + 1))
    local pid
    [[ $ending ]] || for pid in $child "${others[@]}"; do
        kill -TERM "$pid"
    done
}

# A command, after whose it is.
show() {
    local word
    [[ $1 != *:* ]] || printf '    '
    printf '%s:' "$1"
    for word in "${@:2}"; do
        [[ $word =~ ^[A-Za-z0-9_@%+=:,./-]+$ ]] || word=${word@Q}
        printf ' %s' "$word"
    done
    echo
}

rehearse() {
    rehearsing=yes
    CTEXP_QUEUE=QUEUE
    local key
    for key in "${keys[@]}"; do
        ! wanted || job "$key"
    done
    analysis
}

# Whether --only, which takes jobs and experiments, has left $key.
wanted() {
    local id
    for id in ${only//,/ }; do
        [[ ! ${key%:*} =~ ^"$id"(-s[0-9]+)?$ ]] || return 0
    done
    [[ ! $only ]]
}

# What the options mean here; `begin` reads them all, and refuses what is none.
options() {
    local word
    for word; do
        case $word in
            --status) exec inv queue-status "$plan" ;;
            --dry-run) rehearsing=yes ;;
            --only=*) only+=" ${word#*=}" ;;
            -*) ;;
            *) only+=" $word" ;;
        esac
    done
}

# What .venv/bin/activate does, wherever the environment was made.
activate() {
    if [[ ! -x .venv/bin/python ]]; then
        echo "no .venv in $PWD: scripts/inv makes it" >&2
        return 4
    fi
    export CTEXP_ROOT=$PWD VIRTUAL_ENV=$PWD/.venv PATH=$PWD/.venv/bin:$PATH
    unset PYTHONHOME
}

# What comes next, into `key`: that may have to wait for what runs, and bash hears signals meanwhile.
next() {
    local answer asked other words=()
    for other in "${!others[@]}"; do
        words+=("$other=${others[$other]}")
    done
    exec {answer}< <(trap '' INT TERM && exec "${queue[@]}" next "${words[@]}")
    asked=$!
    IFS= read -r -u "$answer" key
    exec {answer}<&-
    ended "$asked"
}

# Forget those of the others that are over, or wait for --all; what ends the night goes into `code`. One that
# was killed ends only itself: `next` finds out how far its job has come.
over() {
    local other its
    for other in "${!others[@]}"; do
        if [[ $* == --all ]] || ! kill -0 "${others[$other]}" 2>/dev/null; then
            ended "${others[$other]}"
            its=$?
            ((code || its == 137)) || code=$its
            unset "others[$other]"
        fi
    done
}

night() {
    local key code=0 log=$CTEXP_QUEUE_DIR/queue.log screen=
    trap 'stop 130' INT
    trap 'stop 143' TERM
    trap '' HUP
    # The terminal may go away: only `tee` writes to it. Detached, the log is all there is.
    if [[ ! /dev/stdout -ef $log ]]; then
        exec > >(trap '' INT TERM && exec tee -a -p "$log") 2>&1
        screen=$!
    fi

    while [[ ! $stopped ]]; do
        next || code=$?
        over
        [[ $key && $code == 0 ]] || break
        job "$key" || code=$?
        ((code == 0)) || break
    done
    over --all
    # Not for who has stopped it, nor on a disk that is full.
    [[ $stopped ]] || ((code == 5 || code > 128)) || analysis

    ending=yes
    follow end "${stopped:-$code}"
    code=$?
    if [[ $screen ]]; then
        exec >&- 2>&-
        for _ in {1..100}; do
            kill -0 "$screen" || break
            sleep 0.02
        done
    fi
    return "$code"
}

main() {
    local script folder
    if [[ ${CTEXP_QUEUE_DIR:-} && ${BASH_SOURCE[0]} -ef $CTEXP_QUEUE_DIR/queue.sh ]]; then
        cd -- "$CTEXP_ROOT" && activate && night
        return
    fi
    if [[ " $* " == *" --help "* ]]; then
        sed -n '/^# The /,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        return
    fi
    script=$(realpath -- "${BASH_SOURCE[0]}") && folder=${script%/*}
    cd -- "$folder"/.. && activate || return 4
    options "$@"
    set -- begin --plan "$plan_file" --sha256 "$plan_sha256" --script "$script" -- "$@"
    if [[ $rehearsing ]]; then
        "${queue[@]}" "$@" && rehearse
    else
        exec "${queue[@]}" "$@"
    fi
}

main "$@"; exit
