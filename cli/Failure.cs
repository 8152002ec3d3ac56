using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Cli;

/// <summary>The command line asks for something that cannot be.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>Turns exceptions into one line on standard error and an exit code.</summary>
internal static class Failure
{
    public static int Report(Exception exception)
    {
        switch (exception)
        {
            case OperationCanceledException:
                Write("interrupted");
                return ExitCode.Interrupted;
            case UsageException or ArgumentException:
                Write(exception.Message);
                return ExitCode.Usage;
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

    private static void Write(string message) => Console.Error.WriteLine("nin: " + message.ReplaceLineEndings(" "));
}
