using NinCudnn.Devices;

namespace NinCudnn.Operators;

/// <summary>
/// Chooses each convolution's methods by running them on the device, and keeps the choices on disk. It waits for the device and
/// allocates, so it belongs to the making of a plan.
/// </summary>
/// <param name="stream">The stream that the operators use.</param>
/// <param name="cache">Choices of earlier runs.</param>
public sealed class ConvolutionTuner(DeviceStream stream, TuningCache cache)
{
    private const int Repetitions = 3;

    // A method whose first run took this many times as long as the best one's will not win by being warm.
    private const double Hopeless = 3;

    /// <summary>Puts the fastest method of a direction into use.</summary>
    /// <exception cref="NotSupportedException">The device supports the direction in no way.</exception>
    /// <exception cref="Interop.NativeException">A native call failed.</exception>
    public void Tune(ConvolutionOperator convolution, ConvolutionDirection direction)
    {
        ArgumentNullException.ThrowIfNull(convolution);
        ConvolutionMethods methods = convolution.Methods(direction);
        if (methods.All.Count == 1)
            return;
        string problem = Describe(convolution, direction);
        if (cache.Find(problem) is { } known && methods.TryChoose(known))
            return;
        try
        {
            if (Fastest(convolution, direction, methods.All) is not { } fastest)
                return; // all were refused; what is said then is the operator's affair
            methods.TryChoose(fastest);
            cache.Add(problem, fastest);
        }
        catch (DeviceMemoryException)
        {
            // No room to try: the heuristic's choice stands.
        }
    }

    private string? Fastest(ConvolutionOperator convolution, ConvolutionDirection direction, IReadOnlyList<ConvolutionMethod> methods)
    {
        ConvolutionShape shape = convolution.Shape;
        int bytes = convolution.Options.DataType.Bytes();
        using DeviceBuffer<byte> x = stream.AllocateZeros(shape.Input.Count * bytes), w = stream.AllocateZeros(shape.FilterCount * bytes);
        using DeviceBuffer<byte> b = stream.AllocateZeros((long)shape.K * bytes), y = stream.AllocateZeros(shape.Output.Count * bytes);
        using DeviceBuffer<byte> workspace = stream.AllocateZeros(Math.Max(methods.Max(method => method.WorkspaceBytes), 1));
        using var start = new DeviceEvent(stream.Device, timing: true);
        using var end = new DeviceEvent(stream.Device, timing: true);
        ConvolutionOperands operands = direction switch
        {
            ConvolutionDirection.Forward => new(x, w, b, y),
            ConvolutionDirection.BackwardData => new(w, y, default, x),
            _ => new(x, y, default, w),
        };

        string? fastest = null;
        TimeSpan best = TimeSpan.MaxValue;
        foreach (ConvolutionMethod method in methods)
        {
            if (Time(method) is not { } time || time / Hopeless > best)
                continue;
            for (int i = 0; i < Repetitions; i++)
            {
                if (Time(method) is { } again && again < time)
                    time = again;
            }
            if (time < best)
                (best, fastest) = (time, method.Name);
        }
        return fastest;

        TimeSpan? Time(ConvolutionMethod method)
        {
            start.Record(stream);
            if (method.Run(operands, workspace.Memory) is not null)
                return null;
            end.Record(stream);
            end.Synchronize();
            return end.ElapsedSince(start);
        }
    }

    private static string Describe(ConvolutionOperator convolution, ConvolutionDirection direction)
    {
        OperatorOptions options = convolution.Options;
        return $"{direction} {convolution.Shape} {convolution.Activation} {options.DataType}"
            + (options.AllowTf32 ? " tf32" : "") + (options.Deterministic ? " deterministic" : "") + $" workspace {options.WorkspaceLimit}";
    }
}
