using System.CommandLine;
using System.CommandLine.Invocation;
using NinCudnn.Cli;
using NinCudnn.Cli.Commands;

var root = new RootCommand("Trains and runs Network-in-Network image classifiers, on NVIDIA GPUs or on any CPU.")
{
    TrainCommand.Create(),
    EvalCommand.Create(),
    SummaryCommand.Create(),
    DevicesCommand.Create(),
    DataCommand.Create(),
};

ParseResult parsed = root.Parse(args);
if (parsed.Action is ParseErrorAction)
{
    string command = parsed.CommandResult.Command == root ? "" : parsed.CommandResult.Command.Name + " ";
    Console.Error.WriteLine($"nin: {parsed.Errors[0].Message} (see: nin {command}--help)");
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
