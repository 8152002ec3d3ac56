using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using NinCudnn.Cli;
using NinCudnn.Cli.Commands;

var root = new RootCommand("Trains and runs Network-in-Network image classifiers, on NVIDIA GPUs or on any CPU.")
{
    TrainCommand.Create(),
    EvalCommand.Create(),
    PredictCommand.Create(),
    ExplainCommand.Create(),
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
};

HelpOption help = root.Options.OfType<HelpOption>().Single();
help.Action = new HelpWithExamples((HelpAction)help.Action!);

ParseResult parsed = root.Parse(args);
if (parsed.Action is ParseErrorAction)
{
    // A word that is not known is the likelier cause when there are further errors.
    string message = parsed.UnmatchedTokens is [string unknown, ..]
        ? $"there is no command or option '{unknown}'"
        : parsed.Errors[0].Message.TrimEnd('.');
    Console.Error.WriteLine($"nin: {message} (see: {CommandLine(parsed.CommandResult)} --help)");
    return ExitCode.Usage;
}

// The commands handle Ctrl-C themselves: a step is finished and saved first, however long that takes.
var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
try
{
    return await parsed.InvokeAsync(configuration);
}
catch (Exception e)
{
    return Failure.Report(e);
}

static string CommandLine(SymbolResult command) =>
    command.Parent is null ? "nin" : $"{CommandLine(command.Parent)} {((CommandResult)command).Command.Name}";
