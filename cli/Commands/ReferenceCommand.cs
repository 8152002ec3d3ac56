using System.CommandLine;
using NinCudnn.Cli.Reference;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin reference</c>, hidden: by it the pages about the command line are made.</summary>
internal static class ReferenceCommand
{
    private const string Markdown = "markdown";
    private const string Man = "man";

    public static Command Create()
    {
        Option<string?> format = SharedOptions.OneOf(new("--format") { HelpName = "name", DefaultValueFactory = _ => Markdown }, "What to write", [Markdown, Man]);
        var command = new Command("reference", "Writes the reference of the command line.") { format };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            var root = (RootCommand)parsed.RootCommandResult.Command;
            if (parsed.GetValue(format) == Man)
                ManPage.Write(Console.Out, root);
            else
                MarkdownReference.Write(Console.Out, root);
            return ExitCode.Success;
        });
        return command;
    }
}
