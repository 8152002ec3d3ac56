using System.Collections.Immutable;
using NinCudnn.Devices;

namespace NinCudnn.Networks;

/// <summary>
/// A network compiled for one batch size, image size, type and device: the list of its operator calls, every tensor at a
/// fixed place in the arena, every algorithm and workspace chosen. Running it allocates nothing. Owns native things.
/// </summary>
public sealed class ExecutionPlan : IDisposable
{
    private readonly DeviceStream _stream;
    private readonly bool _isReplayed;
    private readonly ImmutableArray<IDisposable> _operators;
    private ExecutableGraph? _graph;

    internal ExecutionPlan(
        DeviceStream stream, PlanOptions options, ImmutableArray<PlanStep> steps, ImmutableArray<IDisposable> operators, long arenaBytes)
    {
        _stream = stream;
        _isReplayed = options.Replay;
        _operators = operators;
        Options = options;
        Steps = steps;
        ArenaBytes = arenaBytes;
    }

    /// <summary>What it was compiled for.</summary>
    public PlanOptions Options { get; }

    /// <summary>Its operator calls in order.</summary>
    public ImmutableArray<PlanStep> Steps { get; }

    /// <summary>Bytes of the arena that it uses.</summary>
    public long ArenaBytes { get; }

    /// <summary>The network's input (N, H, W, C). Written by the caller before each run when there is no data set.</summary>
    public DeviceMemory Input { get; internal init; }

    /// <summary>The gradient of the input, where <see cref="PlanOptions.InputGradient"/> asked for it.</summary>
    public DeviceMemory InputGradient { get; internal init; }

    /// <summary>The class scores of the last run (N, classes).</summary>
    public DeviceMemory Logits { get; internal init; }

    /// <summary>
    /// The last block's output of the last run (N, h, w, classes), whose means over h and w are the logits; of evaluation plans only.
    /// </summary>
    public DeviceMemory ClassMaps { get; internal init; }

    /// <summary>Each layer's output in NHWC, valid after a run where <see cref="PlanOptions.KeepLayerOutputs"/> asked for it.</summary>
    public ImmutableArray<DeviceMemory> LayerOutputs { get; internal init; } = [];

    /// <summary>Compiles a plan.</summary>
    /// <exception cref="ArgumentException">The architecture does not fit the image size.</exception>
    /// <exception cref="DeviceMemoryException">The arena does not fit the device.</exception>
    /// <exception cref="NotSupportedException">The device supports an operator with no algorithm.</exception>
    public static ExecutionPlan Compile(Architecture architecture, PlanOptions options, PlanResources resources)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(resources);
        return new PlanCompiler(architecture, options, resources).Compile();
    }

    /// <summary>
    /// Queues one run: call by call the first time, which warms up the libraries, and from then on as one graph launch.
    /// </summary>
    /// <exception cref="Interop.NativeException">A call was refused, or earlier work failed.</exception>
    public void Run()
    {
        if (_graph is not null)
        {
            _graph.Launch();
            return;
        }
        Enqueue();
        if (_isReplayed)
            _graph = _stream.Capture(Enqueue);
    }

    /// <summary>
    /// Runs call by call, and looks at the numbers that every operator has written before the next one runs. As slow as that is, the results are
    /// those of <see cref="Run"/>, to the bit.
    /// </summary>
    /// <param name="ignoresGradients">Whether gradients may be infinite or NaN, as float16's are now and then with a loss scale.</param>
    /// <returns>The first number that is infinite or NaN, behind whose operator nothing was run; null if all are finite.</returns>
    /// <exception cref="Interop.NativeException">A call was refused, or earlier work failed.</exception>
    public NumericFault? RunChecked(bool ignoresGradients = false)
    {
        using var reader = new OperandReader(_stream);
        foreach (PlanStep step in Steps)
        {
            // What is overwritten must be looked at before.
            Dictionary<string, TensorRange> before = step.Inputs.IntersectBy(step.Outputs.Select(output => output.Name), input => input.Name)
                .ToDictionary(input => input.Name, input => reader.Read(input).Range);
            step.Enqueue();
            foreach (PlanOperand output in step.Outputs.Where(output => !(ignoresGradients && output.IsGradient)))
            {
                if (reader.Read(output).FirstNonFinite is var (index, value))
                {
                    IEnumerable<PlanOperand> inputs = step.Inputs.Where(
                        input => input.Parameter is null || output.Parameter is null || input.Parameter == output.Parameter);
                    return new NumericFault(
                        output.Parameter is null ? step.Layer : output.Parameter[..output.Parameter.LastIndexOf('.')], step.Kind, output.Name,
                        output.Describe(index), value,
                        [.. inputs.Select(input => before.TryGetValue(input.Name, out TensorRange range) ? range : reader.Read(input).Range)]);
                }
            }
        }
        return null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _graph?.Dispose();
        foreach (IDisposable item in _operators)
            item.Dispose();
    }

    private void Enqueue()
    {
        foreach (PlanStep step in Steps)
            step.Enqueue();
    }
}
