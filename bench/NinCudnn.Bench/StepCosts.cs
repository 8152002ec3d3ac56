using System.Diagnostics;
using System.Text.Json;
using NinCudnn.Benchmarks;
using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Networks;

namespace NinCudnn.Bench;

/// <summary>
/// What a training step of the seed network costs the host: times to queue it when the device is idle, managed memory, bytes sent. The times are
/// meant to be taken with NIN_HOST_SKIP_WORK=1 and NIN_HOST_STREAMS=sync, so that other threads do not disturb them.
/// </summary>
internal sealed record StepCosts(Timing Replayed, Timing Eager, Timing Send, double ManagedBytes, long BytesSent)
{
    private const int Repetitions = 1000;
    private static readonly TimeSpan _warmUp = TimeSpan.FromSeconds(1); // until the JIT compiler has optimised what is called often

    public static StepCosts Measure(int batch, int imageSize)
    {
        using Device device = Device.Open(DeviceRequest.Auto);
        using var step = new NetworkStep(device, Architecture.Seed(), SyntheticData.Images(batch, 28), batch, imageSize);
        Timing send = Time(step.Send, () => { }), replayed = Time(step.Run, step.Send), eager = Time(step.RunEager, step.Send);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Repetitions; i++)
        {
            step.Send();
            step.Run();
        }
        double managedBytes = (double)(GC.GetAllocatedBytesForCurrentThread() - before) / Repetitions;
        step.Synchronize();
        return new StepCosts(replayed, eager, send, managedBytes, step.BytesSent);

        Timing Time(Action enqueue, Action prepare)
        {
            for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < _warmUp;)
                Once();
            return Timing.Of([.. Enumerable.Range(0, Repetitions).Select(_ => Once())]);

            TimeSpan Once()
            {
                prepare();
                step.Synchronize();
                long begin = Stopwatch.GetTimestamp();
                enqueue();
                return Stopwatch.GetElapsedTime(begin);
            }
        }
    }

    public void Write(TextWriter output)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteNumber("enqueue_replayed", Replayed.Median.TotalSeconds);
            json.WriteNumber("enqueue_eager", Eager.Median.TotalSeconds);
            json.WriteNumber("send", Send.Median.TotalSeconds);
            json.WriteNumber("managed_bytes_per_step", ManagedBytes);
            json.WriteNumber("bytes_to_device_per_step", BytesSent);
            json.WriteEndObject();
        }
        output.WriteLine(System.Text.Encoding.UTF8.GetString(stream.ToArray()));
    }
}
