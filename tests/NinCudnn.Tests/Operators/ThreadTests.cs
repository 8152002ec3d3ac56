using NinCudnn.Devices;
using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Tests.Operators;

/// <summary>
/// The current context is per operating system thread, and behind an await code may go on on one that never saw the device: each
/// call that reaches the driver makes the context current itself.
/// </summary>
public class ThreadTests
{
    private static readonly TensorShape _shape = new(2, 8, 5, 3);

    private static readonly Dictionary<string, Action<Things>> _calls = new()
    {
        ["Device.CreateStream"] = t => t.Stream.Device.CreateStream().Dispose(),
        ["Device.Allocate"] = t => t.Stream.Device.Allocate<int>(1).Dispose(),
        ["Device.AllocatePinned"] = t => t.Stream.Device.AllocatePinned<int>(1).Dispose(),
        ["Device.Synchronize"] = t => t.Stream.Device.Synchronize(),
        ["Device.FreeBytes"] = t => _ = t.Stream.Device.FreeBytes,
        ["Device.WrapMemory"] = t => t.Stream.Device.WrapMemory(t.X.Address, 1),
        ["Device.WrapStream"] = t => t.Stream.Device.WrapStream(t.Stream.Handle).Dispose(),
        ["DeviceBuffer.Upload"] = t => t.Buffer.Upload([1]),
        ["DeviceBuffer.Download"] = t => t.Buffer.Download(new int[1]),
        ["DeviceStream.Clear"] = t => t.Stream.Clear(t.Y),
        ["DeviceStream.Copy pinned to device"] = t => t.Stream.Copy(t.Pinned, t.Buffer, 1),
        ["DeviceStream.Copy device to pinned"] = t => t.Stream.Copy(t.Buffer, t.Pinned, 1),
        ["DeviceStream.Copy device to device"] = t => t.Stream.Copy(t.X, t.Y),
        ["DeviceStream.Synchronize"] = t => t.Stream.Synchronize(),
        ["DeviceStream.Capture"] = t => t.Stream.Capture(() => { }).Dispose(),
        ["ExecutableGraph.Launch"] = t => t.Graph.Launch(),
        ["DeviceEvent"] = t => new DeviceEvent(t.Stream.Device).Dispose(),
        ["DeviceEvent.Record"] = t => t.Mark.Record(t.Stream),
        ["DeviceEvent.Synchronize"] = t => t.Mark.Synchronize(),
        ["DeviceEvent.IsReached"] = t => _ = t.Mark.IsReached,
        ["DeviceEvent.ElapsedSince"] = t => t.Mark.ElapsedSince(t.Start),
        ["Relu.Forward"] = t => t.Relu.Forward(t.X, t.Y),
        ["Relu.Backward"] = t => t.Relu.Backward(t.X, t.Y, t.B, t.Workspace),
        ["Pooling"] = t => new Pooling(t.Stream, new PoolingShape(_shape, PoolingMode.Max, 2, 2, 1)).Dispose(),
        ["Pooling.Forward"] = t => t.Pooling.Forward(t.X, t.Y, t.Workspace),
        ["Pooling.Backward"] = t => t.Pooling.Backward(t.X, t.Y, t.Dy, t.Dx, t.Workspace),
        ["Dropout.Forward"] = t => t.Dropout.Forward(t.X, t.State, t.Y),
        ["ConvolutionOperator.MethodName cuDNN"] = t =>
        {
            using ConvolutionOperator convolution = Convolution(t.Stream, 3);
            Assert.All(Enum.GetValues<ConvolutionDirection>(), direction => Assert.StartsWith("cuDNN", convolution.MethodName(direction), StringComparison.Ordinal));
        },
        ["ConvolutionOperator.MethodName cuBLASLt"] = t =>
        {
            using ConvolutionOperator convolution = Convolution(t.Stream, 1);
            Assert.All(Enum.GetValues<ConvolutionDirection>(), direction => Assert.NotEmpty(convolution.MethodName(direction)));
        },
        ["ConvolutionOperator.Forward cuDNN"] = t => t.Convolution.Forward(t.X, t.W, t.B, t.Y, t.Workspace),
        ["ConvolutionOperator.BackwardData cuDNN"] = t => t.Convolution.BackwardData(t.W, t.Dy, t.Dx, t.Workspace),
        ["ConvolutionOperator.BackwardFilter cuDNN"] = t => t.Convolution.BackwardFilter(t.X, t.Dy, t.W, t.Workspace),
        ["ConvolutionOperator.Forward cuBLASLt"] = t => t.Pointwise.Forward(t.X, t.W, t.B, t.Y, t.Workspace),
        ["ConvolutionOperator.BackwardData cuBLASLt"] = t => t.Pointwise.BackwardData(t.W, t.Dy, t.Dx, t.Workspace),
        ["ConvolutionOperator.BackwardFilter cuBLASLt"] = t => t.Pointwise.BackwardFilter(t.X, t.Dy, t.W, t.Workspace),
    };

    public static TheoryData<string> Calls { get; } = new(_calls.Keys);

    [Theory]
    [MemberData(nameof(Calls))]
    public void Call_OnAThreadThatNeverSawTheDevice_Works(string call)
    {
        using var fixture = new OperatorFixture();
        var things = new Things(fixture);
        _calls[call](things); // what is made at first use is there
        fixture.Device.Synchronize();

        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(() => _calls[call](things)));
        thread.Start();
        thread.Join();

        Assert.Null(failure);
        fixture.Device.Synchronize();
    }

    private static ConvolutionOperator Convolution(DeviceStream stream, int size) =>
        ConvolutionOperator.Create(stream, new ConvolutionShape(_shape, 8, size, size, 1, size / 2), Activation.Relu);

    /// <summary>One of each, on operands that are large enough for all calls. The fixture owns them.</summary>
    private sealed class Things
    {
        public Things(OperatorFixture fixture)
        {
            Stream = fixture.Stream;
            Buffer = fixture.Own(Stream.Device.Allocate<int>(1));
            Pinned = fixture.Own(Stream.Device.AllocatePinned<int>(1));
            Start = fixture.Own(new DeviceEvent(Stream.Device, timing: true));
            Mark = fixture.Own(new DeviceEvent(Stream.Device, timing: true));
            Relu = fixture.Own(new Relu(Stream, _shape));
            Pooling = fixture.Own(new Pooling(Stream, new PoolingShape(_shape, PoolingMode.Max, 2, 2, 1)));
            Dropout = new Dropout(Stream, _shape, 0.5, 1, 2);
            Convolution = fixture.Own(ThreadTests.Convolution(Stream, 3));
            Pointwise = fixture.Own(ThreadTests.Convolution(Stream, 1));
            float[] values = TestNumbers.Integers(_shape.Count, 3, 1);
            (X, Y, Dx, Dy) = (fixture.Upload<float>(values), fixture.Upload<float>(values), fixture.Upload<float>(values), fixture.Upload<float>(values));
            W = fixture.Upload<float>(TestNumbers.Integers(Convolution.Shape.FilterCount, 3, 2));
            B = fixture.Upload<float>(TestNumbers.Integers(_shape.C, 3, 3));
            State = fixture.Upload<StepState>([new StepState(0.1f, 1)]);
            long[] needed =
            [
                Relu.BackwardWorkspaceBytes, Pooling.BackwardWorkspaceBytes,
                Convolution.ForwardWorkspaceBytes, Convolution.BackwardDataWorkspaceBytes, Convolution.BackwardFilterWorkspaceBytes,
                Pointwise.ForwardWorkspaceBytes, Pointwise.BackwardDataWorkspaceBytes, Pointwise.BackwardFilterWorkspaceBytes,
            ];
            Workspace = fixture.Output(needed.Max());
            Graph = fixture.Own(Stream.Capture(() => Stream.Clear(Y)));
            Start.Record(Stream);
            Mark.Record(Stream);
            Stream.Synchronize();
        }

        public DeviceStream Stream { get; }

        public DeviceBuffer<int> Buffer { get; }

        public PinnedBuffer<int> Pinned { get; }

        public DeviceEvent Start { get; }

        public DeviceEvent Mark { get; }

        public ExecutableGraph Graph { get; }

        public Relu Relu { get; }

        public Pooling Pooling { get; }

        public Dropout Dropout { get; }

        public ConvolutionOperator Convolution { get; }

        public ConvolutionOperator Pointwise { get; }

        public DeviceMemory X { get; }

        public DeviceMemory Y { get; }

        public DeviceMemory Dx { get; }

        public DeviceMemory Dy { get; }

        public DeviceMemory W { get; }

        public DeviceMemory B { get; }

        public DeviceMemory State { get; }

        public DeviceMemory Workspace { get; }
    }
}
