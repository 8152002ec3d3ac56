using System.CommandLine;

namespace NinCudnn.Cli.Reference;

/// <summary>docs/cli.md</summary>
internal static class MarkdownReference
{
    public static void Write(TextWriter output, RootCommand root)
    {
        output.WriteLine("""
            # The command line

            <!-- Made by `make docs` of the definitions in cli/Commands; change those. -->

            Every command with its options. `nin <command> --help` says the same; [using.md](using.md) shows how they work together.

            - An option's value stands behind it, or in the same word: `--batch 32`, `--batch=32`. Switches may be turned off: `--json=false`.
            - Options may also stand in environment variables and in files: [configuration.md](configuration.md).
            - `nin completion bash|zsh|fish|pwsh` writes a script by which a shell completes commands, options and values.
            - Results go to standard output, everything else to standard error. Colours and live displays are only for terminals; `NO_COLOR=1` turns
              colours off, `TERM=dumb` both.
            """);
        WriteExitCodes(output);
        WriteGeneralOptions(output, root);
        foreach (CommandReference command in CommandReference.All(root))
            Write(output, command);
    }

    private static void WriteExitCodes(TextWriter output)
    {
        output.WriteLine();
        output.WriteLine("| exit code | meaning |");
        output.WriteLine("|---|---|");
        foreach (var (code, meaning) in ExitCode.All)
            output.WriteLine($"| {code} | {meaning} |");
        output.WriteLine();
        output.WriteLine("What is wrong is said in one line on standard error: what, where, and what to do.");
    }

    private static void WriteGeneralOptions(TextWriter output, RootCommand root)
    {
        output.WriteLine();
        output.WriteLine("## nin");
        output.WriteLine();
        output.WriteLine(root.Description);
        output.WriteLine();
        output.WriteLine("| option of every command | |");
        output.WriteLine("|---|---|");
        foreach (Option option in root.Options.Where(CommandTree.IsVisible))
            Row(output, CommandReference.OptionForm(option), option is VersionOption ? "Show the version; only without a command." : CommandReference.Describe(option));
    }

    private static void Write(TextWriter output, CommandReference command)
    {
        output.WriteLine();
        output.WriteLine($"## {command.Name}");
        output.WriteLine();
        output.WriteLine(command.Command.Description);
        output.WriteLine();
        output.WriteLine("```text");
        output.WriteLine(command.Usage);
        output.WriteLine("```");
        if (command.Command.Arguments.Count > 0)
        {
            output.WriteLine();
            output.WriteLine("| argument | |");
            output.WriteLine("|---|---|");
            foreach (Argument argument in command.Command.Arguments)
                Row(output, argument.Name, argument.Description);
        }
        if (CommandTree.OwnOptions(command.Command).ToArray() is { Length: > 0 } options)
        {
            output.WriteLine();
            output.WriteLine("| option | |");
            output.WriteLine("|---|---|");
            foreach (Option option in options)
                Row(output, CommandReference.OptionForm(option), CommandReference.Describe(option));
        }
        output.WriteLine();
        output.WriteLine("```text");
        foreach (string example in command.Examples)
            output.WriteLine(example);
        output.WriteLine("```");
    }

    private static void Row(TextWriter output, string what, string? meaning) =>
        output.WriteLine($"| `{what.Replace("|", "\\|", StringComparison.Ordinal)}` | {meaning?.Replace("|", "\\|", StringComparison.Ordinal)} |");
}
