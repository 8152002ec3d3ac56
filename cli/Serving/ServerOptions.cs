using System.Net;

namespace NinCudnn.Cli.Serving;

/// <summary>How a <see cref="PredictionServer"/> is reached, and what it bears.</summary>
/// <param name="Address">Where it listens.</param>
/// <param name="Port">The port; 0 for any that is free.</param>
/// <param name="MaxBodyBytes">The largest file that may be sent.</param>
/// <param name="MaxPixels">Pixels that an image may have.</param>
/// <param name="MaxRequests">Predictions that are worked on or wait; with <paramref name="MaxBodyBytes"/> it bounds the memory for files.</param>
/// <param name="Timeout">How long a request may take.</param>
internal sealed record ServerOptions(IPAddress Address, int Port, long MaxBodyBytes, long MaxPixels, int MaxRequests, TimeSpan Timeout)
{
    /// <summary>Connections at once; those without a request cost little.</summary>
    public int MaxConnections => MaxRequests + 256;
}
