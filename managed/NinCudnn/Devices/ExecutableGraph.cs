using NinCudnn.Interop;

namespace NinCudnn.Devices;

/// <summary>Captured work that one call launches again. Owns native things; one launch of it runs at a time.</summary>
public sealed class ExecutableGraph : DeviceResource
{
    private readonly DeviceStream _stream;
    private readonly CUgraphExec _handle;

    internal unsafe ExecutableGraph(DeviceStream stream, CUgraph graph)
        : base(stream.Device)
    {
        _stream = stream;
        try
        {
            nuint nodes = 0;
            Cuda.cuGraphGetNodes(graph, null, ref nodes).ThrowIfFailed();
            NodeCount = (int)nodes;
            Cuda.cuGraphInstantiateWithFlags(out _handle, graph, 0).ThrowIfFailed();
        }
        catch
        {
            Dispose();
            throw;
        }
        finally
        {
            Device.RecordFailure(Cuda.cuGraphDestroy(graph), nameof(Cuda.cuGraphDestroy));
        }
    }

    /// <summary>Kernels, copies and fills in the graph.</summary>
    public int NodeCount { get; }

    /// <summary>Queues the whole graph on the stream that it was captured from.</summary>
    /// <exception cref="CudaException">The driver refused, or earlier work failed.</exception>
    public void Launch()
    {
        ThrowIfDisposed();
        Device.MakeCurrent();
        Cuda.cuGraphLaunch(_handle, _stream.Handle).ThrowIfFailed();
    }

    internal override void ReleaseNative()
    {
        if (_handle != default)
            Device.RecordFailure(Cuda.cuGraphExecDestroy(_handle), nameof(Cuda.cuGraphExecDestroy));
    }
}
