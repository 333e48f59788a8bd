#!/usr/bin/env bash
#
# The night of the plan survive: 12 jobs. Rendered; change the plan and render it again:
#   inv plan-render research/plans/survive.yaml
#
# plan    research/plans/survive.yaml
# sha256  45fc12cbb0cca967622f53c871293ea83d954a2c730e55d13282a01fe7c8de25
# seal    36956369b1d59bd6d099858730b2a8961887a1a731fc8c14de29c01f9530b923
#
# bash survive.sh [OPTION...]   begin a queue, or go on with the one that this script has begun
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

plan=survive
plan_file=research/plans/survive.yaml
plan_sha256=45fc12cbb0cca967622f53c871293ea83d954a2c730e55d13282a01fe7c8de25

# Every command below, in the order of running: JOB, then JOB:KIND for what is tried when it fails that way.
keys=(
    smoke-s1 plain-s1 plain-s2 plain-s3 memory-s1 memory-s1:oom nan-s1 after-nan-s1 hang-s1 orphan-s1 disk-s1
    gated-s1 best-s1
)

job() {
    local key=$1
    local base=()
    case $key in
        smoke-s1)
            attempt inv train data=phantom model=tiny_cnn data.image_size=32 data.batch_size=24 \
                trainer.accelerator=cpu trainer.early_stopping=null logger=none trainer.max_epochs=1 \
                run.name=survive-smoke seed=1 ;;
        plain-s1)
            attempt inv train data=phantom model=tiny_cnn data.image_size=32 data.batch_size=24 \
                trainer.accelerator=cpu trainer.max_epochs=3 trainer.early_stopping=null logger=none \
                run.name=survive-plain seed=1 ;;
        plain-s2)
            attempt inv train data=phantom model=tiny_cnn data.image_size=32 data.batch_size=24 \
                trainer.accelerator=cpu trainer.max_epochs=3 trainer.early_stopping=null logger=none \
                run.name=survive-plain seed=2 ;;
        plain-s3)
            attempt inv train data=phantom model=tiny_cnn data.image_size=32 data.batch_size=24 \
                trainer.accelerator=cpu trainer.max_epochs=3 trainer.early_stopping=null logger=none \
                run.name=survive-plain seed=3 ;;
        memory-s1)
            attempt inv train data=phantom model=tiny_cnn data.image_size=32 data.batch_size=24 \
                trainer.accelerator=cpu trainer.max_epochs=3 trainer.early_stopping=null logger=none \
                model.dropout=0.1 run.name=survive-memory seed=1 ;;
        memory-s1:oom)
            attempt inv train data=phantom model=tiny_cnn data.image_size=32 trainer.accelerator=cpu \
                trainer.max_epochs=3 trainer.early_stopping=null logger=none model.dropout=0.1 \
                data.batch_size=8 run.name=survive-memory-oom seed=1 ;;
        nan-s1)
            attempt inv train data=phantom model=tiny_cnn data.image_size=32 data.batch_size=24 \
                trainer.accelerator=cpu trainer.max_epochs=3 trainer.early_stopping=null logger=none \
                model.dropout=0.2 run.name=survive-nan seed=1 ;;
        # needs nan
        after-nan-s1)
            attempt inv train data=phantom model=tiny_cnn data.image_size=32 data.batch_size=24 \
                trainer.accelerator=cpu trainer.max_epochs=3 trainer.early_stopping=null logger=none \
                model.dropout=0.25 run.name=survive-after-nan seed=1 ;;
        hang-s1)
            attempt inv train data=phantom model=tiny_cnn data.image_size=32 data.batch_size=24 \
                trainer.accelerator=cpu trainer.max_epochs=3 trainer.early_stopping=null logger=none \
                model.dropout=0.3 run.name=survive-hang seed=1 ;;
        orphan-s1)
            attempt inv train data=phantom model=tiny_cnn data.image_size=32 data.batch_size=24 \
                trainer.accelerator=cpu trainer.max_epochs=3 trainer.early_stopping=null logger=none \
                model.dropout=0.35 run.name=survive-orphan seed=1 ;;
        disk-s1)
            attempt inv train data=phantom model=tiny_cnn data.image_size=32 data.batch_size=24 \
                trainer.accelerator=cpu trainer.max_epochs=3 trainer.early_stopping=null logger=none \
                model.dropout=0.4 run.name=survive-disk seed=1 ;;
        # only if val/accuracy of smoke >= 0.99
        gated-s1)
            attempt inv train data=phantom model=tiny_cnn data.image_size=32 data.batch_size=24 \
                trainer.accelerator=cpu trainer.max_epochs=3 trainer.early_stopping=null logger=none \
                model.dropout=0.45 run.name=survive-gated seed=1 ;;
        # base: the best of hang, orphan by val/accuracy
        best-s1)
            base_of best-s1 && attempt inv train data=phantom model=tiny_cnn data.image_size=32 \
                data.batch_size=24 trainer.accelerator=cpu trainer.max_epochs=3 trainer.early_stopping=null \
                logger=none "${base[@]}" optimizer.lr=2e-3 run.name=survive-best seed=1 ;;
        *)
            echo "no job $key in this script" >&2
            return 1
            ;;
    esac
}

analysis() {
    step compare inv compare-baselines --baseline survive-plain --candidate survive-memory \
        --candidate survive-nan
    step errors-plain inv analyze-errors --run survive-plain
    step errors-memory inv analyze-errors --run survive-memory
    step errors-nan inv analyze-errors --run survive-nan
    step report inv report --queue "$CTEXP_QUEUE" --baseline survive-plain
}

queue=(python -P -m ctexp.queue) # decides, watches, writes down
rehearsing= # for a --dry-run
only=       # the ids of --only
stopped=    # the exit code for the first INT or TERM
signals=0   # how many of them came
child=      # what runs now
ending=     # and nothing will after it

# One attempt at the job $key. What it came to is in the journal; a code other than 0 ends the night.
attempt() {
    follow run "$key" -- "$@"
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
    local heard code
    if [[ $rehearsing ]]; then
        show "$2" "${@:4}"
        return
    fi
    "${queue[@]}" "$@" &
    child=$!
    [[ $ending || ! $stopped ]] || kill -TERM "$child"
    while
        heard=$signals
        wait "$child"
        code=$?
        ((heard != signals))
    do :; done
    child=
    return "$code"
}

# Called by traps. Always as TERM: a program in the background does not hear INT before it has asked to.
# What writes the page down is left to it: it is soon over.
stop() {
    stopped=${stopped:-$1}
    signals=$((signals + 1))
    [[ $ending || ! $child ]] || kill -TERM "$child"
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
        key=$(trap '' INT TERM && "${queue[@]}" next) || code=$?
        [[ $key && $code == 0 ]] || break
        job "$key" || code=$?
        ((code == 0)) || break
    done
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
