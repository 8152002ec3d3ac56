# Completion of nin for PowerShell 7.3 and later. To load it: nin completion pwsh | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName nin -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.StartOffset -lt $cursorPosition } |
        ForEach-Object { $_.Extent.Text })
    if ($wordToComplete -eq '') { $words += '' }
    # What it may be: "words", "files", "directories" or "json", then a value and its description a line.
    $answer = @(& $words[0] __complete @($words | Select-Object -Skip 1) 2>$null)
    $answer | Select-Object -Skip 1 | ForEach-Object {
        $value, $description = $_ -split "`t", 2
        if (-not $description) { $description = $value }
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $description)
    }
    if ($answer[0] -ne 'words') {
        [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete)
    }
}
