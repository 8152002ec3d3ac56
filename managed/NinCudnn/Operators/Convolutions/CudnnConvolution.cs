using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>A convolution in cuDNN's terms, and the methods that cuDNN offers for it.</summary>
internal sealed unsafe class CudnnConvolution : IDisposable
{
    // More than any direction has.
    private const int MaxAlgorithms = 16;

    private readonly OperatorOptions _options;

    public CudnnConvolution(DeviceStream stream, ConvolutionShape shape, OperatorOptions options, TensorForm form)
    {
        Stream = stream;
        Shape = shape;
        Form = form;
        _options = options with { DataType = form.Type };
        X = new TensorDescriptor(shape.Input, form);
        Y = new TensorDescriptor(shape.Output, form);
        B = new TensorDescriptor(new TensorShape(1, shape.K, 1, 1), form);
        W = new FilterDescriptor(shape, form);
    }

    private delegate cudnnStatus_t AlgorithmQuery<TResult>(int capacity, out int count, TResult* results)
        where TResult : unmanaged;

    public DeviceStream Stream { get; }

    public ConvolutionShape Shape { get; }

    public TensorForm Form { get; }

    public TensorDescriptor X { get; }

    public TensorDescriptor Y { get; }

    public TensorDescriptor B { get; }

    public FilterDescriptor W { get; }

    /// <summary>cuDNN's methods for a direction, the one that its heuristic takes for the fastest first.</summary>
    /// <param name="direction">The direction.</param>
    /// <param name="activation">What follows the bias in the forward direction.</param>
    /// <param name="refusals">Is told what was not admitted, and why.</param>
    public IEnumerable<ConvolutionMethod> Methods(ConvolutionDirection direction, Activation activation, List<string> refusals)
    {
        ConvolutionAlgorithm[] algorithms = Algorithms(direction, refusals);
        return direction switch
        {
            // Without an activation the fused call is restricted to a single algorithm, and saves only the bias.
            ConvolutionDirection.Forward when activation == Activation.Relu =>
            [
                .. algorithms.Select(algorithm => new CudnnFusedForward(this, algorithm)),
                .. algorithms.Select(algorithm => new CudnnForward(this, algorithm, activation)),
            ],
            ConvolutionDirection.Forward => algorithms.Select(algorithm => new CudnnForward(this, algorithm, activation)),
            ConvolutionDirection.BackwardData => algorithms.Select(algorithm => new CudnnBackwardData(this, algorithm)),
            _ => algorithms.Select(algorithm => new CudnnBackwardFilter(this, algorithm)),
        };
    }

    public void Dispose()
    {
        X.Dispose();
        Y.Dispose();
        B.Dispose();
        W.Dispose();
    }

    private ConvolutionAlgorithm[] Algorithms(ConvolutionDirection direction, List<string> refusals)
    {
        Stream.Device.MakeCurrent();
        cudnnHandle_t cudnn = Stream.Cudnn;
        using var descriptor = new ConvolutionDescriptor(Shape, ConvolutionAlgorithms.RequestedMathType(_options));
        cudnnConvolutionDescriptor_t convolution = descriptor.Handle;
        return direction switch
        {
            ConvolutionDirection.Forward => Admit<cudnnConvolutionFwdAlgoPerf_t>(
                nameof(Cudnn.cudnnGetConvolutionForwardAlgorithm_v7),
                (int capacity, out int count, cudnnConvolutionFwdAlgoPerf_t* results) => Cudnn.cudnnGetConvolutionForwardAlgorithm_v7(
                    cudnn, X.Handle, W.Handle, convolution, Y.Handle, capacity, out count, results),
                result => new((int)result.algo, result.status, result.determinism, result.mathType),
                (int algorithm, out nuint bytes) => Cudnn.cudnnGetConvolutionForwardWorkspaceSize(
                    cudnn, X.Handle, W.Handle, convolution, Y.Handle, (cudnnConvolutionFwdAlgo_t)algorithm, out bytes)),
            ConvolutionDirection.BackwardData => Admit<cudnnConvolutionBwdDataAlgoPerf_t>(
                nameof(Cudnn.cudnnGetConvolutionBackwardDataAlgorithm_v7),
                (int capacity, out int count, cudnnConvolutionBwdDataAlgoPerf_t* results) => Cudnn.cudnnGetConvolutionBackwardDataAlgorithm_v7(
                    cudnn, W.Handle, Y.Handle, convolution, X.Handle, capacity, out count, results),
                result => new((int)result.algo, result.status, result.determinism, result.mathType),
                (int algorithm, out nuint bytes) => Cudnn.cudnnGetConvolutionBackwardDataWorkspaceSize(
                    cudnn, W.Handle, Y.Handle, convolution, X.Handle, (cudnnConvolutionBwdDataAlgo_t)algorithm, out bytes)),
            _ => Admit<cudnnConvolutionBwdFilterAlgoPerf_t>(
                nameof(Cudnn.cudnnGetConvolutionBackwardFilterAlgorithm_v7),
                (int capacity, out int count, cudnnConvolutionBwdFilterAlgoPerf_t* results) => Cudnn.cudnnGetConvolutionBackwardFilterAlgorithm_v7(
                    cudnn, X.Handle, Y.Handle, convolution, W.Handle, capacity, out count, results),
                result => new((int)result.algo, result.status, result.determinism, result.mathType),
                (int algorithm, out nuint bytes) => Cudnn.cudnnGetConvolutionBackwardFilterWorkspaceSize(
                    cudnn, X.Handle, Y.Handle, convolution, W.Handle, (cudnnConvolutionBwdFilterAlgo_t)algorithm, out bytes)),
        };

        ConvolutionAlgorithm[] Admit<TResult>(
            string function, AlgorithmQuery<TResult> query, Func<TResult, AlgorithmOffer> read, ConvolutionAlgorithms.WorkspaceQuery queryWorkspace)
            where TResult : unmanaged
        {
            var results = new TResult[MaxAlgorithms];
            int count;
            fixed (TResult* pointer = results)
            {
                cudnnStatus_t status = query(MaxAlgorithms, out count, pointer);
                if (CudnnStatus.IsNotSupported(status))
                {
                    refusals.Add($"{Form}: {CudnnStatus.ToVersion9(status)}");
                    return [];
                }
                status.ThrowIfFailed(function);
            }
            return ConvolutionAlgorithms.Admit(
                results.Take(count).Select(read), _options, descriptor, queryWorkspace, refusal => refusals.Add($"{Form} {refusal}"));
        }
    }
}
