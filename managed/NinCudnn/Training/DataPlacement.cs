namespace NinCudnn.Training;

/// <summary>Where the images of a data set lie while a network runs over them. It changes speed and memory, but no bit of the results.</summary>
public enum DataPlacement
{
    /// <summary>On the device if they fit there beside the network's tensors, else in host memory.</summary>
    Auto,

    /// <summary>On the device, all of them: a step gathers its batch there.</summary>
    Resident,

    /// <summary>In host memory: a step's batch is copied to the device while the steps before it run.</summary>
    Stream,
}
