#!/usr/bin/env bash
#
# The night of the plan @plan@: @count@. Rendered; change the plan and render it again:
#   scripts/inv plan-render @plan_file@@rendered@
#
# plan    @plan_file@
# sha256  @plan_sha256@
# seal    
#
# bash @script@ [OPTION...]   begin a queue, or go on with the one that this script has begun
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

plan=@plan@
plan_file=@plan_file@
plan_sha256=@plan_sha256@

@functions@

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
    cd -- @root@ && activate || return 4
    options "$@"
    set -- begin --plan "$plan_file" --sha256 "$plan_sha256" --script "$script"@executor@ -- "$@"
    if [[ $rehearsing ]]; then
        "${queue[@]}" "$@" && rehearse
    else
        exec "${queue[@]}" "$@"
    fi
}

main "$@"; exit
