using System.Text;
using System.Text.RegularExpressions;
using NinCudnn.Tests;
using Xunit;

namespace Nin.Tests;

/// <summary>The shells' scripts, asked by the shells themselves.</summary>
public sealed class CompletionTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public CompletionTests()
    {
        _root.Write("own.json", Encoding.UTF8.GetBytes(NinProgram.Run("arch", "show", "cifar").Succeeded().Output));
        Directory.CreateDirectory(_root.File("runs/first"));
    }

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("nin tr", "train")]
    [InlineData("nin data ", "list fetch info")]
    [InlineData("nin train --dev", "--device")]
    [InlineData("nin train --device c", "cpu cuda")]
    [InlineData("nin train --device=c", "cpu cuda")]
    [InlineData("nin train --precision b", "bf16")]
    [InlineData("nin train --dataset cifar", "cifar10 cifar100")]
    [InlineData("nin train --batch ", "auto")]
    [InlineData("nin train --json=", "true false")]
    [InlineData("nin train --recipe ", "best quick seed own.json runs")]
    [InlineData("nin train --recipe=o", "own.json")]
    [InlineData("nin arch show c", "cifar")]
    [InlineData("nin runs show f", "first")]
    [InlineData("nin train --epochs ", "")]
    [InlineData("nin train --precision fp32 --prec", "")]
    [InlineData("nin export runs/first --format ", "onnx safetensors")]
    [InlineData("nin config show ev", "eval")]
    [InlineData("nin config show eval --check", "--checkpoint")]
    [InlineData("nin reference --f", "--format")] // hidden, but whoever knows it may use it
    [InlineData("nin refer", "")]
    [InlineData("nin nothing ", "")]
    public void Bash_AsReadlineCallsIt_OffersTheCandidates(string line, string candidates)
    {
        // Readline parts words at = and :, and has an empty one behind a space.
        string[] words = [.. Regex.Matches(line, @"[=:]|[^\s=:]+").Select(match => match.Value), .. line.EndsWith(' ') ? [""] : Array.Empty<string>()];
        ProgramResult result = Shell(
            "/bin/bash",
            [
                "--norc", "--noprofile", "-c", """
                    source <(nin completion bash)
                    COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
                    complete -p nin >/dev/null && _nin
                    echo "${COMPREPLY[@]}"
                    """, "bash", line, .. words,
            ]).Succeeded();

        Assert.Equal(candidates, result.Output.Trim());
    }

    [Theory]
    [InlineData("bash --norc --noprofile -i", "source <(nin completion bash)")]
    [InlineData("zsh --no-rcs -i", "autoload -Uz compinit && compinit -u -D && source <(nin completion zsh)")]
    public void Interactive_TabKey_Completes(string shell, string load)
    {
        Assert.SkipUnless(Find("script") is not null && Find(shell.Split(' ')[0]) is not null, $"needs script and {shell.Split(' ')[0]}");
        string keys = $"{load}\nnin arch val\t own\t\nnin completion p\t | head -n 1\nexit\n";
        ProgramResult result = Shell("/bin/bash", "-c", "printf %s \"$1\" | TERM=dumb script --quiet --return --command \"$2\" /dev/null", "bash", keys, shell);

        Assert.Contains("classes: valid", result.Output, StringComparison.Ordinal);
        Assert.Contains("# Completion of nin for PowerShell", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nin tr", "train:Trains a network")]
    [InlineData("nin train --precision=b", "--precision=bf16:")]
    [InlineData("nin train --recipe q", "quick:|files -g *.json")]
    [InlineData("nin predict ", "files")]
    [InlineData("nin train --images ", "files -/")]
    public void Zsh_Function_OffersTheCandidates(string line, string candidates)
    {
        Assert.SkipUnless(Find("zsh") is not null, "needs zsh");
        ProgramResult result = Shell(
            "zsh",
            [
                "--no-rcs", "-c", """
                    compdef() { }
                    compset() { }
                    _describe() { print -l -- ${(P)4} }
                    _files() { print -r -- files "$@" }
                    source <(nin completion zsh)
                    words=("${@}") CURRENT=$# PREFIX=${@[-1]}
                    _nin
                    """, "zsh", .. line.Split(' '),
            ]).Succeeded();

        Assert.Equal(candidates.Split('|'), result.Lines.Select(text => text.TrimEnd()));
    }

    [Theory]
    [InlineData("nin tr", "train")]
    [InlineData("nin train --precision b", "bf16")]
    [InlineData("nin arch validate o", "own.json")]
    public void Fish_AsItCompletes_OffersTheCandidates(string line, string candidate)
    {
        Assert.SkipUnless(Find("fish") is not null, "needs fish");
        ProgramResult result = Shell("fish", "--no-config", "-c", "nin completion fish | source; complete --do-complete $argv[1]", line).Succeeded();

        Assert.Equal(candidate, Assert.Single(result.Lines).Split('\t')[0]);
    }

    [Fact]
    public void PowerShell_Script_RegistersACompleter()
    {
        string script = NinProgram.Run("completion", "pwsh").Succeeded().Output;

        Assert.Contains("Register-ArgumentCompleter -Native -CommandName nin", script, StringComparison.Ordinal);
        Assert.Equal(script.Count(c => c == '{'), script.Count(c => c == '}'));
        Assert.Equal(script.Count(c => c == '('), script.Count(c => c == ')'));
    }

    [Fact]
    public void PowerShell_AsItCompletes_OffersTheCandidates()
    {
        Assert.SkipUnless(Find("pwsh") is not null, "needs pwsh");
        ProgramResult result = Shell(
            "pwsh", "-NoProfile", "-Command",
            "nin completion pwsh | Out-String | Invoke-Expression; (TabExpansion2 'nin tr' 6).CompletionMatches.CompletionText; (TabExpansion2 'nin train --precision b' 23).CompletionMatches.CompletionText")
            .Succeeded();

        Assert.Equal(["train", "bf16"], result.Lines);
    }

    private ProgramResult Shell(string file, params string[] arguments)
    {
        string path = $"{Path.GetDirectoryName(NinProgram.Path)}:{Environment.GetEnvironmentVariable("PATH")}";
        using NinProgram shell = NinProgram.Start(_root.Path, [("PATH", path), ("HOME", _root.Path)], file, arguments);
        return shell.WaitForExit();
    }

    private static string? Find(string program) =>
        Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists);
}
