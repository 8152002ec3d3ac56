// One convolution with bias and rectifier, forward and backward, on buffers and a stream of one's own, checked against plain loops.

using LowLevelConvolution;
using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Operators;

using Device device = Device.Open();
using DeviceStream stream = device.CreateStream();
Console.WriteLine($"{device.Name}: {device.Selection.Reason}");

// x (N, H, W, C), filters (K, R, S, C). Nothing is square, so that no extent can be mistaken for another.
var shape = new ConvolutionShape(new TensorShape(N: 2, C: 3, H: 12, W: 9), K: 8, R: 3, S: 5, StrideH: 2, StrideW: 1, PadH: 1, PadW: 2);
Console.WriteLine($"x {shape.Input}, y {shape.Output}");

// Small whole numbers: all sums are exact in float32, whatever their order, so device and loops must agree to the last bit.
var random = new Random(1);
float[] xs = WholeNumbers(shape.Input.Count), ws = WholeNumbers(shape.FilterCount), bs = WholeNumbers(shape.K), dys = WholeNumbers(shape.Output.Count);

using DeviceBuffer<float> x = device.Allocate<float>(xs), w = device.Allocate<float>(ws), b = device.Allocate<float>(bs);
using DeviceBuffer<float> y = device.Allocate<float>(shape.Output.Count);

// Backward starts from the gradient of y, and gives those of x, w and b.
using DeviceBuffer<float> dy = device.Allocate<float>(dys);
using DeviceBuffer<float> dx = device.Allocate<float>(xs.Length), dw = device.Allocate<float>(ws.Length), db = device.Allocate<float>(bs.Length);

// An operator is made once for a shape, and says how much scratch memory its calls need. The calls run one after the other, so they share it.
using var convolution = ConvolutionOperator.Create(stream, shape, Activation.Relu);
using var relu = new Relu(stream, shape.Output);
long[] workspaceBytes =
[
    convolution.ForwardWorkspaceBytes, convolution.BackwardDataWorkspaceBytes, convolution.BackwardFilterWorkspaceBytes, relu.BackwardWorkspaceBytes,
];
using DeviceBuffer<byte> workspace = device.Allocate<byte>(workspaceBytes.Max());

// Each call only queues work on the stream. The rectifier's backward pass turns dy into the gradient of the sum before it, in place.
convolution.Forward(x, w, b, y, workspace);
relu.Backward(y, dy, db, workspace);
convolution.BackwardData(w, dy, dx, workspace);
convolution.BackwardFilter(x, dy, dw, workspace);
stream.Synchronize();

float[] sums = PlainConvolution.Forward(shape, xs, ws, bs), dz = [.. dys.Zip(sums, (gradient, sum) => sum > 0 ? gradient : 0)];
bool isRight = Check("y", y, [.. sums.Select(sum => Math.Max(sum, 0))]);
isRight &= Check("dx", dx, PlainConvolution.BackwardData(shape, ws, dz));
isRight &= Check("dw", dw, PlainConvolution.BackwardFilter(shape, xs, dz));
isRight &= Check("db", db, [.. Enumerable.Range(0, shape.K).Select(k => dz.Where((_, i) => i % shape.K == k).Sum())]);

// Another layer down: cuDNN's own functions, on the same buffers and stream.
CudnnForward.Run(stream, shape, x, w, y);
stream.Synchronize();
isRight &= Check($"y by cuDNN {Cudnn.cudnnGetVersion()} itself", y, PlainConvolution.Forward(shape, xs, ws, new float[shape.K]));
return isRight ? 0 : 1;

float[] WholeNumbers(long count)
{
    var values = new float[count];
    foreach (ref float value in values.AsSpan())
        value = random.Next(-4, 5);
    return values;
}

static bool Check(string name, DeviceBuffer<float> actual, float[] expected)
{
    bool isEqual = actual.Download().AsSpan().SequenceEqual(expected);
    Console.WriteLine($"{name}: {expected.Length} elements {(isEqual ? "equal" : "NOT equal")} to the loops'");
    return isEqual;
}
