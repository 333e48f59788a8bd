# Every command below, in the order of running: JOB, then JOB:KIND for what is tried when it fails that way.
keys=(
@keys@
)

job() {
    local key=$1
    local base=()
    case $key in
@jobs@
        *)
            echo "no job $key in this script" >&2
            return 1
            ;;
    esac
}

analysis() {
@analysis@
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
