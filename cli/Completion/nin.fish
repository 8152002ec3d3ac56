# Completion of nin for fish. To load it: nin completion fish | source
function __nin_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --current-token --cut-at-cursor)
    # What it may be: "words", "files", "directories" or "json", then a value and its description a line.
    set -l answer ($words[1] __complete $words[2..] "$current" 2>/dev/null)
    for line in $answer[2..]
        echo $line
    end
    switch "$answer[1]"
        case files
            __fish_complete_path "$current"
        case directories
            __fish_complete_directories "$current"
        case json
            __fish_complete_suffix .json
    end
end
complete --command nin --no-files --arguments '(__nin_complete)'
