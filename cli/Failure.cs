using NinCudnn.Cli.Output;
using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Training;

namespace NinCudnn.Cli;

/// <summary>Turns exceptions into one line on standard error and an exit code.</summary>
internal static class Failure
{
    /// <param name="exception">What was thrown.</param>
    /// <param name="hint">What to append to the message.</param>
    public static int Report(Exception exception, string hint = "")
    {
        switch (exception)
        {
            case OperationCanceledException:
                Write("interrupted");
                return ExitCode.Interrupted;
            case ArgumentException { ParamName: { } parameter }:
                // The name of a method's parameter means nothing to users.
                Write(exception.Message.Replace($" (Parameter '{parameter}')", "", StringComparison.Ordinal) + hint);
                return ExitCode.Usage;
            case ArgumentException:
                Write(exception.Message + hint);
                return ExitCode.Usage;
            case TrainingDivergedException diverged:
                Write(diverged.Message + ReportText.DivergenceAdvice(diverged));
                return ExitCode.Failure;
            case NativeException or DeviceMemoryException or IOException or InvalidDataException or UnauthorizedAccessException
                or NotSupportedException or HttpRequestException or TimeoutException:
                Write(exception.Message);
                return ExitCode.Failure;
            default:
                Write($"unexpected {exception.GetType().Name}: {exception.Message}");
                if (Environment.GetEnvironmentVariable("NIN_DEBUG") == "1")
                    Console.Error.WriteLine(exception);
                else
                    Console.Error.WriteLine("nin: this is a mistake in nin; please report it with the output that NIN_DEBUG=1 gives");
                return ExitCode.Failure;
        }
    }

    /// <summary>Writes a message as one line on standard error.</summary>
    public static void Write(string message) => Console.Error.WriteLine("nin: " + OneLine(message));

    /// <summary>
    /// Joins the lines of a list by semicolons, so that a message stays one line whoever reads it. Other control characters, which the names of files
    /// may have, are not for the terminal to obey.
    /// </summary>
    internal static string OneLine(string message)
    {
        string line = string.Join("; ", message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
        return string.Concat(line.Replace(":; ", ": ", StringComparison.Ordinal).Select(c => char.IsControl(c) ? '\uFFFD' : c));
    }
}
