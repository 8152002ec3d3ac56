using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using NinCudnn.Cli;
using NinCudnn.Cli.Commands;
using NinCudnn.Cli.Completion;
using NinCudnn.Cli.Settings;

var root = new RootCommand("Trains and runs Network-in-Network image classifiers, on NVIDIA GPUs or on any CPU.")
{
    TrainCommand.Create(),
    EvalCommand.Create(),
    PredictCommand.Create(),
    ExplainCommand.Create(),
    ServeCommand.Create(),
    ExportCommand.Create(),
    ImportCommand.Create(),
    RunsCommand.Create(),
    SummaryCommand.Create(),
    ArchCommand.Create(),
    RecipeCommand.Create(),
    DevicesCommand.Create(),
    BenchCommand.Create(),
    DoctorCommand.Create(),
    DataCommand.Create(),
    ConfigCommand.Create(),
    CompletionCommand.Create(),
    ReferenceCommand.Create(),
};
ConfigFiles.AddOptionsTo(root);
root.Options.OfType<VersionOption>().Single().Description = "Show the version.";
HelpOption help = root.Options.OfType<HelpOption>().Single();
help.Description = "Show this help.";
help.Aliases.Remove("/h");
help.Aliases.Remove("/?");
help.Action = new HelpWithExamples((HelpAction)help.Action!);

if (args is [Completer.Request, .. var words])
{
    Completer.Write(Console.Out, root, words);
    return ExitCode.Success;
}

// A file beginning with @ is a file.
var rules = new ParserConfiguration { ResponseFileTokenReplacer = null };
ParseResult parsed = root.Parse(args, rules);
CommandSettings? settings = null;
try
{
    // Not for help and the like.
    if (CommandSettings.CanBeMadeFor(parsed.CommandResult.Command) && (parsed.Action is ParseErrorAction || parsed.Action == parsed.CommandResult.Command.Action))
    {
        settings = CommandSettings.For(parsed, new ConfigFiles(parsed).Read(root));
        if (settings.Chosen.Count > 0)
        {
            args = settings.InsertInto(args, parsed.CommandResult.Command);
            parsed = root.Parse(args, rules);
        }
    }
    if ((parsed.Action is ParseErrorAction || parsed.Action == parsed.CommandResult.Command.Action) && UsageError.Find(parsed, args, settings) is { } message)
    {
        Failure.Write(message);
        return ExitCode.Usage;
    }
    // Only a command writes files, and help is to come at once.
    using IDisposable? fileSize = parsed.Action == parsed.CommandResult.Command.Action ? FileSizeLimit.TurnIntoFailure() : null;
    // The commands handle Ctrl-C themselves: a step is finished and saved first, however long that takes.
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
catch (ArgumentException e)
{
    return Failure.Report(e, UsageError.Hint(parsed, settings));
}
catch (Exception e)
{
    return Failure.Report(e);
}
