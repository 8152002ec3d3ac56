using System.Diagnostics;

namespace NinCudnn.Training;

/// <summary>A stopwatch that can be set.</summary>
internal sealed class ResumableClock
{
    private readonly Stopwatch _watch = new();
    private TimeSpan _before;

    /// <summary>The time it was set to, and that for which it has run since.</summary>
    public TimeSpan Elapsed => _before + _watch.Elapsed;

    /// <summary>Sets the time, and stops it.</summary>
    public void Set(TimeSpan time)
    {
        _before = time;
        _watch.Reset();
    }

    public void Start() => _watch.Start();

    public void Stop() => _watch.Stop();
}
