using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>A convolution carried out by cuDNN.</summary>
internal sealed unsafe class Convolution : ConvolutionOperator
{
    private readonly TensorDescriptor _x;
    private readonly TensorDescriptor _y;
    private readonly TensorDescriptor _b;
    private readonly FilterDescriptor _w;
    private readonly ConvolutionDescriptor _forward;
    private readonly ConvolutionDescriptor _backwardData;
    private readonly ConvolutionDescriptor _backwardFilter;
    private readonly ReluDescriptor _fusedRelu;
    private readonly Relu _relu;

    // Looked up at first use: a network's first layer has no gradient towards its input, and evaluation has none at all.
    private ConvolutionAlgorithm[]? _forwardAlgorithms;
    private ConvolutionAlgorithm[]? _backwardDataAlgorithms;
    private ConvolutionAlgorithm[]? _backwardFilterAlgorithms;

    // What the calls themselves have refused so far: an index into the algorithms, and whether the fused call works at all.
    private int _forwardChoice;
    private int _backwardDataChoice;
    private int _backwardFilterChoice;
    private bool _isFused;

    public Convolution(DeviceStream stream, ConvolutionShape shape, Activation activation, OperatorOptions options)
        : base(stream, shape, activation, options)
    {
        _x = new TensorDescriptor(shape.Input, options.DataType);
        _y = new TensorDescriptor(shape.Output, options.DataType);
        _b = new TensorDescriptor(new TensorShape(1, shape.K, 1, 1), options.DataType);
        _w = new FilterDescriptor(shape, options.DataType);
        _forward = new ConvolutionDescriptor(shape);
        _backwardData = new ConvolutionDescriptor(shape);
        _backwardFilter = new ConvolutionDescriptor(shape);
        _fusedRelu = new ReluDescriptor(cudnnNanPropagation_t.CUDNN_NOT_PROPAGATE_NAN); // the fused call accepts nothing else
        _relu = new Relu(stream, shape.Output, options.DataType);
        // Without an activation the fused call is restricted to a single algorithm, and saves only the bias.
        _isFused = activation == Activation.Relu;
    }

    public override long ForwardWorkspaceBytes => ForwardAlgorithms[0].WorkspaceBytes;

    public override long BackwardDataWorkspaceBytes => BackwardDataAlgorithms[0].WorkspaceBytes;

    public override long BackwardFilterWorkspaceBytes => BackwardFilterAlgorithms[0].WorkspaceBytes;

    private ConvolutionAlgorithm[] ForwardAlgorithms => _forwardAlgorithms ??= FindForward();

    private ConvolutionAlgorithm[] BackwardDataAlgorithms => _backwardDataAlgorithms ??= FindBackwardData();

    private ConvolutionAlgorithm[] BackwardFilterAlgorithms => _backwardFilterAlgorithms ??= FindBackwardFilter();

    public override void Forward(DeviceMemory x, DeviceMemory w, DeviceMemory b, DeviceMemory y, DeviceMemory workspace)
    {
        Stream.Device.MakeCurrent();
        while (true)
        {
            ConvolutionAlgorithm algorithm = ForwardAlgorithms[_forwardChoice];
            _forward.SetMathType(algorithm.MathType);
            cudnnStatus_t status = _isFused
                ? ForwardFused(algorithm, x, w, b, y, workspace)
                : ForwardSeparately(algorithm, x, w, b, y, workspace);
            if (status == cudnnStatus_t.CUDNN_STATUS_SUCCESS)
                return;
            if (!CudnnStatus.IsNotSupported(status))
                status.ThrowIfFailed(nameof(Cudnn.cudnnConvolutionForward));
            if (++_forwardChoice < ForwardAlgorithms.Length)
                continue;
            if (!_isFused)
                ThrowNoneLeft("forward", status);
            _isFused = false;
            _forwardChoice = 0;
        }
    }

    public override void BackwardData(DeviceMemory w, DeviceMemory dz, DeviceMemory dx, DeviceMemory workspace)
    {
        Stream.Device.MakeCurrent();
        for (; ; _backwardDataChoice++)
        {
            ConvolutionAlgorithm algorithm = BackwardDataAlgorithms[_backwardDataChoice];
            _backwardData.SetMathType(algorithm.MathType);
            float one = 1, zero = 0;
            cudnnStatus_t status = Cudnn.cudnnConvolutionBackwardData(
                Stream.Cudnn, &one, _w.Handle, w.Require(FilterBytes), _y.Handle, dz.Require(OutputBytes), _backwardData.Handle,
                (cudnnConvolutionBwdDataAlgo_t)algorithm.Algorithm, workspace.Require(algorithm.WorkspaceBytes), (nuint)algorithm.WorkspaceBytes,
                &zero, _x.Handle, dx.Require(InputBytes));
            if (status == cudnnStatus_t.CUDNN_STATUS_SUCCESS)
                return;
            if (!CudnnStatus.IsNotSupported(status))
                status.ThrowIfFailed(nameof(Cudnn.cudnnConvolutionBackwardData));
            if (_backwardDataChoice + 1 == BackwardDataAlgorithms.Length)
                ThrowNoneLeft("backward data", status);
        }
    }

    public override void BackwardFilter(DeviceMemory x, DeviceMemory dz, DeviceMemory dw, DeviceMemory workspace)
    {
        Stream.Device.MakeCurrent();
        for (; ; _backwardFilterChoice++)
        {
            ConvolutionAlgorithm algorithm = BackwardFilterAlgorithms[_backwardFilterChoice];
            _backwardFilter.SetMathType(algorithm.MathType);
            float one = 1, zero = 0;
            cudnnStatus_t status = Cudnn.cudnnConvolutionBackwardFilter(
                Stream.Cudnn, &one, _x.Handle, x.Require(InputBytes), _y.Handle, dz.Require(OutputBytes), _backwardFilter.Handle,
                (cudnnConvolutionBwdFilterAlgo_t)algorithm.Algorithm, workspace.Require(algorithm.WorkspaceBytes), (nuint)algorithm.WorkspaceBytes,
                &zero, _w.Handle, dw.Require(FilterBytes));
            if (status == cudnnStatus_t.CUDNN_STATUS_SUCCESS)
                return;
            if (!CudnnStatus.IsNotSupported(status))
                status.ThrowIfFailed(nameof(Cudnn.cudnnConvolutionBackwardFilter));
            if (_backwardFilterChoice + 1 == BackwardFilterAlgorithms.Length)
                ThrowNoneLeft("backward filter", status);
        }
    }

    public override void Dispose()
    {
        _x.Dispose();
        _y.Dispose();
        _b.Dispose();
        _w.Dispose();
        _forward.Dispose();
        _backwardData.Dispose();
        _backwardFilter.Dispose();
        _fusedRelu.Dispose();
        _relu.Dispose();
    }

    private cudnnStatus_t ForwardFused(
        ConvolutionAlgorithm algorithm, DeviceMemory x, DeviceMemory w, DeviceMemory b, DeviceMemory y, DeviceMemory workspace)
    {
        float one = 1, zero = 0;
        // z and its descriptor must be valid even though alpha2 = 0 leaves z out: y stands in for it.
        return Cudnn.cudnnConvolutionBiasActivationForward(
            Stream.Cudnn, &one, _x.Handle, x.Require(InputBytes), _w.Handle, w.Require(FilterBytes), _forward.Handle,
            (cudnnConvolutionFwdAlgo_t)algorithm.Algorithm, workspace.Require(algorithm.WorkspaceBytes), (nuint)algorithm.WorkspaceBytes,
            &zero, _y.Handle, y.Require(OutputBytes), _b.Handle, b.Require(BiasBytes), _fusedRelu.Handle, _y.Handle, y.Require(OutputBytes));
    }

    private cudnnStatus_t ForwardSeparately(
        ConvolutionAlgorithm algorithm, DeviceMemory x, DeviceMemory w, DeviceMemory b, DeviceMemory y, DeviceMemory workspace)
    {
        float one = 1, zero = 0;
        void* bias = b.Require(BiasBytes); // before anything is queued
        cudnnStatus_t status = Cudnn.cudnnConvolutionForward(
            Stream.Cudnn, &one, _x.Handle, x.Require(InputBytes), _w.Handle, w.Require(FilterBytes), _forward.Handle,
            (cudnnConvolutionFwdAlgo_t)algorithm.Algorithm, workspace.Require(algorithm.WorkspaceBytes), (nuint)algorithm.WorkspaceBytes,
            &zero, _y.Handle, y.Require(OutputBytes));
        if (status != cudnnStatus_t.CUDNN_STATUS_SUCCESS)
            return status;
        Cudnn.cudnnAddTensor(Stream.Cudnn, &one, _b.Handle, bias, &one, _y.Handle, y.Address.Pointer).ThrowIfFailed();
        if (Activation == Activation.Relu)
            _relu.Forward(y, y);
        return cudnnStatus_t.CUDNN_STATUS_SUCCESS;
    }

    private ConvolutionAlgorithm[] FindForward()
    {
        cudnnHandle_t cudnn = Stream.Cudnn;
        Stream.Device.MakeCurrent();
        _forward.SetMathType(ConvolutionAlgorithms.RequestedMathType(Options));
        Cudnn.cudnnGetConvolutionForwardAlgorithmMaxCount(cudnn, out int capacity).ThrowIfFailed();
        var results = new cudnnConvolutionFwdAlgoPerf_t[capacity];
        int count;
        fixed (cudnnConvolutionFwdAlgoPerf_t* pointer = results)
        {
            Cudnn.cudnnGetConvolutionForwardAlgorithm_v7(
                cudnn, _x.Handle, _w.Handle, _forward.Handle, _y.Handle, capacity, out count, pointer).ThrowIfFailed();
        }
        return ConvolutionAlgorithms.Admit(
            "forward", Shape, Options,
            results.Take(count).Select(result => ((int)result.algo, result.status, result.determinism, result.mathType)),
            (int algorithm, cudnnMathType_t mathType, out nuint bytes) =>
            {
                _forward.SetMathType(mathType);
                return Cudnn.cudnnGetConvolutionForwardWorkspaceSize(
                    cudnn, _x.Handle, _w.Handle, _forward.Handle, _y.Handle, (cudnnConvolutionFwdAlgo_t)algorithm, out bytes);
            });
    }

    private ConvolutionAlgorithm[] FindBackwardData()
    {
        cudnnHandle_t cudnn = Stream.Cudnn;
        Stream.Device.MakeCurrent();
        _backwardData.SetMathType(ConvolutionAlgorithms.RequestedMathType(Options));
        Cudnn.cudnnGetConvolutionBackwardDataAlgorithmMaxCount(cudnn, out int capacity).ThrowIfFailed();
        var results = new cudnnConvolutionBwdDataAlgoPerf_t[capacity];
        int count;
        fixed (cudnnConvolutionBwdDataAlgoPerf_t* pointer = results)
        {
            Cudnn.cudnnGetConvolutionBackwardDataAlgorithm_v7(
                cudnn, _w.Handle, _y.Handle, _backwardData.Handle, _x.Handle, capacity, out count, pointer).ThrowIfFailed();
        }
        return ConvolutionAlgorithms.Admit(
            "backward data", Shape, Options,
            results.Take(count).Select(result => ((int)result.algo, result.status, result.determinism, result.mathType)),
            (int algorithm, cudnnMathType_t mathType, out nuint bytes) =>
            {
                _backwardData.SetMathType(mathType);
                return Cudnn.cudnnGetConvolutionBackwardDataWorkspaceSize(
                    cudnn, _w.Handle, _y.Handle, _backwardData.Handle, _x.Handle, (cudnnConvolutionBwdDataAlgo_t)algorithm, out bytes);
            });
    }

    private ConvolutionAlgorithm[] FindBackwardFilter()
    {
        cudnnHandle_t cudnn = Stream.Cudnn;
        Stream.Device.MakeCurrent();
        _backwardFilter.SetMathType(ConvolutionAlgorithms.RequestedMathType(Options));
        Cudnn.cudnnGetConvolutionBackwardFilterAlgorithmMaxCount(cudnn, out int capacity).ThrowIfFailed();
        var results = new cudnnConvolutionBwdFilterAlgoPerf_t[capacity];
        int count;
        fixed (cudnnConvolutionBwdFilterAlgoPerf_t* pointer = results)
        {
            Cudnn.cudnnGetConvolutionBackwardFilterAlgorithm_v7(
                cudnn, _x.Handle, _y.Handle, _backwardFilter.Handle, _w.Handle, capacity, out count, pointer).ThrowIfFailed();
        }
        return ConvolutionAlgorithms.Admit(
            "backward filter", Shape, Options,
            results.Take(count).Select(result => ((int)result.algo, result.status, result.determinism, result.mathType)),
            (int algorithm, cudnnMathType_t mathType, out nuint bytes) =>
            {
                _backwardFilter.SetMathType(mathType);
                return Cudnn.cudnnGetConvolutionBackwardFilterWorkspaceSize(
                    cudnn, _x.Handle, _y.Handle, _backwardFilter.Handle, _w.Handle, (cudnnConvolutionBwdFilterAlgo_t)algorithm, out bytes);
            });
    }

    private void ThrowNoneLeft(string direction, cudnnStatus_t status) =>
        throw new NotSupportedException($"{direction} of convolution {Shape} in {Options.DataType}, NHWC: cuDNN refused every algorithm it offered, the last with {status}");
}
