using System.Runtime.ExceptionServices;
using NinCudnn.Devices;
using NinCudnn.Operators;

namespace NinCudnn.Diagnostics;

/// <summary>Copies, streams, events and threads.</summary>
internal static class MemoryChecks
{
    private const string Group = "memory";
    private const string Advice = "Restart the machine and update the driver; if it stays, report it together with this report in JSON.";

    public static IEnumerable<Check> Create() =>
    [
        new(Group, "upload and download", null, Advice, RoundTrip),
        new(Group, "asynchronous copies in order", null, Advice, CopyInOrder),
        new(Group, "event timing", null, Advice, TimeEvents),
        new(Group, "second thread", null, Advice, UseSecondThread),
    ];

    private static string RoundTrip(CheckContext context)
    {
        const int Bytes = 100_003; // no multiple of anything
        byte[] content = [.. new IntegerSource(30).Next(Bytes, 127).Select(value => (byte)(value + 128))];
        DeviceMemory memory = context.Upload<byte>(content);
        context.Expect("bytes", ToDoubles(context.Download<byte>(memory)), ToDoubles(content), [Bytes], Tolerance.Exact);
        return context.Conclude(ByteSize.Format(Bytes));
    }

    /// <summary>
    /// Writes one device buffer again and again from pinned memory and copies each content away: any copy that overtakes
    /// another shows in what was copied away.
    /// </summary>
    private static string CopyInOrder(CheckContext context)
    {
        const int Rounds = 16, Count = 4099;
        PinnedBuffer<int> source = context.Own(context.Device.AllocatePinned<int>(Rounds * Count));
        PinnedBuffer<int> result = context.Own(context.Device.AllocatePinned<int>(Rounds * Count));
        for (int i = 0; i < source.Length; i++)
            source.Span[i] = i;
        result.Span.Fill(-1);
        DeviceMemory buffer = context.Output(Count * sizeof(int)), collected = context.Output(Rounds * buffer.Bytes);
        for (int round = 0; round < Rounds; round++)
        {
            context.Stream.Copy(source, round * Count, buffer, Count);
            context.Stream.Copy(buffer, collected.Slice(round * buffer.Bytes, buffer.Bytes));
        }
        context.Stream.Copy(collected, result, result.Length);
        context.Stream.Synchronize();
        context.Expect("copies", ToDoubles(result.Span.ToArray()), ToDoubles(source.Span.ToArray()), [Rounds, Count], Tolerance.Exact);
        return context.Conclude($"{Rounds} rounds of {ByteSize.Format(buffer.Bytes)}");
    }

    private static string TimeEvents(CheckContext context)
    {
        const int Marks = 4;
        DeviceEvent[] marks = [.. Enumerable.Range(0, Marks).Select(_ => context.Own(new DeviceEvent(context.Device, timing: true)))];
        DeviceMemory work = context.Output(1 << 20);
        foreach (DeviceEvent mark in marks)
        {
            mark.Record(context.Stream);
            context.Stream.Clear(work);
        }
        context.Stream.Synchronize();
        context.ExpectEqual("reached marks", marks.Count(mark => mark.IsReached), Marks);
        double[] times = [.. marks.Select(mark => mark.ElapsedSince(marks[0]).TotalMilliseconds)];
        // Times that go backwards differ from their sorted copy.
        context.Expect("elapsed time in ms", times, [.. times.Select((_, i) => times[..(i + 1)].Max())], [Marks], Tolerance.Exact);
        return FormattableString.Invariant($"{Marks} marks over {times[^1]:0.000} ms, in order");
    }

    private static string UseSecondThread(CheckContext context)
    {
        const int Count = 1001;
        float[] x = new IntegerSource(31).Next(Count, 100);
        DeviceMemory input = context.Upload<float>(x), y = context.Output(Count, DataType.Float32);
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using DeviceStream stream = context.Device.CreateStream();
                using var relu = new Relu(stream, new TensorShape(1, Count, 1, 1));
                relu.Forward(input, y);
                stream.Synchronize();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e); // thrown again where the check runs
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        context.Expect("y", y, DataType.Float32, [.. x.Select(value => Math.Max(value, 0.0))], [Count], Tolerance.Exact);
        return context.Conclude("a kernel on a stream of its own");
    }

    private static double[] ToDoubles(byte[] values) => [.. values.Select(value => (double)value)];

    private static double[] ToDoubles(int[] values) => [.. values.Select(value => (double)value)];
}
