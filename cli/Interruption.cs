using System.Runtime.InteropServices;
using NinCudnn.Cli.Output;
using Spectre.Console;

namespace NinCudnn.Cli;

/// <summary>
/// Turns the first Ctrl-C or SIGTERM into a request to stop after the current step; the second one ends the process at once.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;

    /// <param name="isLive">Whether a live display is on the terminal; anything written past it would tear it.</param>
    public Interruption(bool isLive)
    {
        _registrations = [Register(PosixSignal.SIGINT), Register(PosixSignal.SIGTERM)];

        PosixSignalRegistration Register(PosixSignal signal) => PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = !_source.IsCancellationRequested;
            const string Message = "stopping; once more to stop at once";
            if (!context.Cancel && isLive)
                AnsiConsole.Cursor.Show(); // the display hid it, and won't get to show it again
            else if (isLive)
                Terminal.WriteLine(AnsiConsole.Console, Message);
            else if (context.Cancel)
                Console.Error.WriteLine("nin: " + Message);
            _source.Cancel();
        });
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
        _source.Dispose();
    }
}
