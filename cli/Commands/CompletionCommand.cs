using System.CommandLine;
using NinCudnn.Cli.Completion;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin completion</c></summary>
internal static class CompletionCommand
{
    public static Command Create() => new("completion", "Writes a script that makes a shell complete nin's command lines.")
    {
        Script("bash", "bash", "nin.bash"),
        Script("zsh", "zsh", "nin.zsh"),
        Script("fish", "fish", "nin.fish"),
        Script("pwsh", "PowerShell", "nin.ps1"),
    };

    private static Command Script(string name, string shell, string resource)
    {
        var command = new Command(name, $"Writes the script for {shell}.");
        command.SetAction(_ =>
        {
            using var script = new StreamReader(typeof(Completer).Assembly.GetManifestResourceStream(resource)!);
            Console.Write(script.ReadToEnd());
            return ExitCode.Success;
        });
        return command;
    }
}
