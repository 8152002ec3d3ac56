# Completion of nin for bash 4.4 and later. To load it: source <(nin completion bash)
_nin() {
    # The words up to the cursor, as nin would get them: readline parts them at = and : too.
    local line=${COMP_LINE:0:COMP_POINT} words=() word gap i
    for ((i = 0; i <= COMP_CWORD; i++)); do
        gap=${line%%[![:space:]]*}
        line=${line#"$gap"}
        word=${COMP_WORDS[i]}
        ((i < COMP_CWORD)) || word=$line
        if [[ $i -eq 0 || $gap ]]; then words+=("$word"); else words[-1]+=$word; fi
        line=${line#"$word"}
    done

    # What it may be: "words", "files", "directories" or "json", then a value and its description a line.
    local reply current=${words[-1]} prefix=''
    mapfile -t reply < <("${words[0]/#\~/$HOME}" __complete "${words[@]:1}" 2>/dev/null)
    if [[ $COMP_WORDBREAKS == *:* && $current == *:* ]]; then
        prefix=${current%"${current##*:}"}
    elif [[ $COMP_WORDBREAKS == *=* && $current == *=* ]]; then
        prefix=${current%"${current##*=}"}
    fi
    COMPREPLY=()
    for word in "${reply[@]:1}"; do
        word=${word%%$'\t'*}
        COMPREPLY+=("${word#"$prefix"}")
    done
    case ${reply[0]} in
        files) compopt -o default ;;
        directories) compopt -o dirnames ;;
        json)
            compopt -o filenames
            mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -X '!*.json' -- "${current#"$prefix"}"; compgen -d -- "${current#"$prefix"}")
            ;;
    esac 2>/dev/null
}
complete -F _nin nin
