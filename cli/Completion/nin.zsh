#compdef nin
# Completion of nin for zsh. To load it: source <(nin completion zsh)
_nin() {
    # What it may be: "words", "files", "directories" or "json", then a value and its description a line.
    local line
    local -a answer items
    answer=("${(@f)$("${words[1]/#\~/$HOME}" __complete "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
    for line in "${(@)answer[2,-1]}"; do
        items+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    (( $#items )) && _describe -t values value items
    case $answer[1] in
        files) compset -P '--*='; _files ;;
        directories) compset -P '--*='; _files -/ ;;
        json) compset -P '--*='; _files -g '*.json' ;;
    esac
}
if [[ $funcstack[1] == _nin ]]; then
    _nin "$@"
else
    compdef _nin nin
fi
