using NinCudnn.Devices;

namespace NinCudnn.Operators;

/// <summary>The methods of one direction of a convolution, best guess first, and the one in use. Owns them.</summary>
internal sealed class ConvolutionMethods : IDisposable
{
    private readonly List<IDisposable> _convolutions = [];
    private readonly List<ConvolutionMethod> _all = [];
    private readonly string _problem;
    private int _current;

    private ConvolutionMethods(ConvolutionShape shape, OperatorOptions options, ConvolutionDirection direction) =>
        _problem = $"{direction} of convolution {shape} in {options.DataType}";

    /// <summary>All that the device supports in the best form that it supports at all.</summary>
    public IReadOnlyList<ConvolutionMethod> All => _all;

    /// <summary>The one in use.</summary>
    public ConvolutionMethod Current => _all[_current];

    /// <summary>Asks cuBLASLt and cuDNN, and about converted operands only where they have nothing for the operands as they are.</summary>
    /// <exception cref="NotSupportedException">The device supports the direction in no way.</exception>
    public static ConvolutionMethods Find(
        DeviceStream stream, ConvolutionShape shape, Activation activation, OperatorOptions options, ConvolutionDirection direction) =>
        Find(stream, shape, activation, options, direction, TensorForm.Candidates(options.DataType));

    /// <summary>As the other, with the forms that cuDNN is asked about, in order; only the first that it supports counts.</summary>
    internal static ConvolutionMethods Find(
        DeviceStream stream, ConvolutionShape shape, Activation activation, OperatorOptions options, ConvolutionDirection direction, TensorForm[] forms)
    {
        var methods = new ConvolutionMethods(shape, options, direction);
        TensorForm native = TensorForm.Native(options.DataType);
        try
        {
            if (forms.Contains(native))
                methods._all.AddRange(PointwiseMethod.Methods(stream, shape, activation, options, direction));
            List<string> refusals = [];
            foreach (TensorForm form in forms)
            {
                if (form != native && methods._all.Count > 0)
                    break;
                methods.Add(new CudnnConvolution(stream, shape, options, form), activation, direction, native, options.WorkspaceLimit, refusals);
            }
            if (methods._all.Count == 0)
                throw new NotSupportedException($"{methods._problem}: the device supports it in no way ({string.Join("; ", refusals)}){Advice(refusals)}");
            return methods;
        }
        catch
        {
            methods.Dispose();
            throw;
        }
    }

    /// <summary>Uses the method of that name, if there is one.</summary>
    public bool TryChoose(string name)
    {
        int index = _all.FindIndex(method => method.Name == name);
        if (index < 0)
            return false;
        _current = index;
        return true;
    }

    /// <summary>Queues the method in use, or the next that is not refused and does with the workspace.</summary>
    /// <exception cref="ArgumentException">The workspace is too short.</exception>
    /// <exception cref="NotSupportedException">All were refused.</exception>
    public unsafe void Run(in ConvolutionOperands operands, DeviceMemory workspace)
    {
        workspace.Require(Current.WorkspaceBytes);
        while (Current.Run(operands, workspace) is { } refusal)
            PassOver(refusal, workspace.Bytes);
    }

    public void Dispose()
    {
        _all.ForEach(method => method.Dispose());
        _convolutions.ForEach(convolution => convolution.Dispose());
    }

    private static string Advice(List<string> refusals) =>
        refusals.Exists(refusal => refusal.EndsWith("not deterministic", StringComparison.Ordinal)) ? "; algorithms that don't repeat bit for bit were not admitted"
        : refusals.Exists(refusal => refusal.Contains("the limit is", StringComparison.Ordinal)) ? "; a higher workspace limit would help"
        : "";

    private void PassOver(Enum refusal, long workspaceBytes)
    {
        int next = _all.FindIndex(_current + 1, method => method.WorkspaceBytes <= workspaceBytes);
        if (next < 0)
            throw new NotSupportedException($"{_problem}: the device refused every method that it offered, the last ({Current.Name}) with {refusal}");
        _current = next;
    }

    private void Add(
        CudnnConvolution convolution, Activation activation, ConvolutionDirection direction, TensorForm native, long workspaceLimit, List<string> refusals)
    {
        _convolutions.Add(convolution);
        foreach (ConvolutionMethod method in convolution.Methods(direction, activation, refusals))
        {
            if (convolution.Form == native)
            {
                _all.Add(method);
                continue;
            }
            var converted = new ConvertedMethod(convolution, direction, method, native);
            if (converted.WorkspaceBytes <= workspaceLimit)
            {
                _all.Add(converted);
                continue;
            }
            refusals.Add($"{method.Name}: needs {converted.WorkspaceBytes} bytes of workspace, the limit is {workspaceLimit}");
            converted.Dispose();
        }
    }
}
